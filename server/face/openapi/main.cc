// Writes the OpenAPI document of PictoryJobs: `pictory-openapi DESCRIPTOR_SET VERSION OUT`. It runs
// when the gateway is built.
#include <fstream>
#include <iostream>

#include "face/openapi/described_service.h"
#include "face/openapi/document.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: pictory-openapi DESCRIPTOR_SET VERSION OUT\n";
    return 2;
  }
  const gateway::face::DescribedService service(argv[1]);
  if (service.get() == nullptr) return 1;
  std::ofstream out(argv[3], std::ios::binary);
  out << gateway::face::WriteDocument(*service.get(), argv[2]) << '\n';
  return out.good() ? 0 : 1;
}
