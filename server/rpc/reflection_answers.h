// ReflectionAnswers makes the answers of server reflection. v1 and v1alpha are the same on the
// wire, so one set of messages serves both.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "rpc/reflection_files.h"

namespace gateway::rpc {

class ReflectionAnswers {
 public:
  // `services` are listed; all of `files`, which must outlive this, can be described.
  ReflectionAnswers(std::vector<std::string> services, const ReflectionFiles& files);

  // `sent` names the files that the caller of this stream has by now. They are sent again only if
  // asked for directly. Errors are part of the answer.
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request,
      std::set<std::string>& sent) const;

 private:
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  // The file and what it imports, each once.
  void Add(const google::protobuf::FileDescriptor* file, bool asked, std::set<std::string>& sent,
           Response& response) const;
  void Describe(const google::protobuf::FileDescriptor* file, const std::string& what,
                std::set<std::string>& sent, Response& response) const;
  void ListExtensions(const std::string& type, Response& response) const;

  const std::vector<std::string> services_;
  const ReflectionFiles& files_;
  const google::protobuf::DescriptorPool& pool_;
};

}  // namespace gateway::rpc
