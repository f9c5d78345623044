// Writes the OpenAPI document of PictoryJobs: `pictory-openapi DESCRIPTOR_SET VERSION OUT`. It runs
// when the gateway is built.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "face/openapi/document.h"
#include "pictory/jobs/v1/annotations.pb.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: pictory-openapi DESCRIPTOR_SET VERSION OUT\n";
    return 2;
  }
  // The options of the descriptors are only read with their extensions in the program.
  google::protobuf::LinkMessageReflection<::pictory::jobs::v1::HttpMethod>();
  std::ifstream in(argv[1], std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromIstream(&in)) {
    std::cerr << argv[1] << " is no descriptor set\n";
    return 1;
  }
  google::protobuf::DescriptorPool pool;
  for (const auto& file : set.file()) {
    if (pool.BuildFile(file) == nullptr) return 1;
  }
  const auto* const service = pool.FindServiceByName("pictory.jobs.v1.PictoryJobs");
  if (service == nullptr) return 1;
  std::ofstream out(argv[3], std::ios::binary);
  out << gateway::face::WriteDocument(*service, argv[2]) << '\n';
  return out.good() ? 0 : 1;
}
