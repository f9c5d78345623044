// DescribedService is PictoryJobs as a descriptor set on disk describes it, with the comments of
// the .proto, which the program's own descriptors do not have. For programs that run when the
// gateway is built.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace gateway::face {

class DescribedService {
 public:
  // Says on stderr what is wrong with the file.
  explicit DescribedService(const std::string& descriptor_set);

  // Null if the file could not be read. Belongs to this object.
  const google::protobuf::ServiceDescriptor* get() const { return service_; }

 private:
  google::protobuf::DescriptorPool pool_;
  const google::protobuf::ServiceDescriptor* service_ = nullptr;
};

}  // namespace gateway::face
