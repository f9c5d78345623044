#include "face/openapi/described_service.h"

#include <google/protobuf/descriptor.pb.h>

#include <fstream>
#include <iostream>

#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::face {

DescribedService::DescribedService(const std::string& descriptor_set) {
  // The options of the descriptors are only read with their extensions in the program.
  google::protobuf::LinkMessageReflection<::pictory::jobs::v1::HttpMethod>();
  std::ifstream in(descriptor_set, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromIstream(&in)) {
    std::cerr << descriptor_set << " is no descriptor set\n";
    return;
  }
  for (const auto& file : set.file()) {
    if (pool_.BuildFile(file) != nullptr) continue;
    std::cerr << descriptor_set << " does not describe " << file.name() << "\n";
    return;
  }
  service_ = pool_.FindServiceByName("pictory.jobs.v1.PictoryJobs");
  if (service_ == nullptr) std::cerr << descriptor_set << " has no PictoryJobs\n";
}

}  // namespace gateway::face
