// ReflectionFiles holds the proto files that reflection serves, as they are sent, comments
// included.
//
// It leaves out the files that declare options, and every option they declare. Those of this API
// tell the gateway how it writes REST calls, and a caller can do without them; protobuf.js, on
// which JavaScript's reflection clients are built, cannot load what extends the messages of
// descriptor.proto.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace gateway::rpc {

class ReflectionFiles {
 public:
  // `descriptor_set` is a FileDescriptorSet in which each file comes after its imports. It is built
  // together with the program, so one that is wrong ends the program.
  explicit ReflectionFiles(std::string_view descriptor_set);

  // The pool is for look-ups only: it holds no comments.
  const google::protobuf::DescriptorPool& pool() const { return pool_; }
  // The FileDescriptorProto of a file of the pool, serialised.
  const std::string& Serialised(const google::protobuf::FileDescriptor& file) const;

 private:
  google::protobuf::DescriptorPool pool_;
  std::map<std::string, std::string, std::less<>> serialised_;  // by the file's name
};

}  // namespace gateway::rpc
