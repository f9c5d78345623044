// How much metadata a call may bring.
//
// The library has a limit of its own. A call beyond it gets no answer that a program could read,
// and now and then the whole connection is cut, with the calls of others that a proxy put on it. So
// the library's limit lies far above this one, and above the 60 KiB that an Envoy lets pass.
#pragma once

#include <cstddef>
#include <map>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"

namespace gateway::rpc {

// Counts names, values as they are sent (binary ones in base64), and 32 bytes for each entry, as
// HTTP/2 does. What the library keeps for itself is not counted: path, authority, content-type,
// grpc-timeout.
std::size_t MetadataBytes(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// An error if there are more than limits::kMetadataMaxBytes.
absl::Status CheckMetadata(const grpc::ServerContextBase& context);

}  // namespace gateway::rpc
