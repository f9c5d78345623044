// The descriptor set that reflection serves: a serialised google.protobuf.FileDescriptorSet of the
// API, the standard services and the error details, with comments, each file after what it imports.
// protoc writes it when the gateway is built (server/protos/CMakeLists.txt).
#pragma once

#include <string_view>

namespace gateway::rpc {

std::string_view DescriptorSet();

}  // namespace gateway::rpc
