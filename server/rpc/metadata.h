// How much metadata a call may bring.
//
// The library has a limit of its own. What is beyond it gets no word that a program could read, and
// now and then the whole connection is cut, with the calls of others that a proxy put on it. So it
// lies far above this one, and above the 60 KiB that an Envoy lets pass.
#pragma once

#include <cstddef>
#include <map>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"

namespace gateway::rpc {

// Names, values as they are sent (binary ones in base64), and 32 for each entry, as HTTP/2 counts
// them. Of what the library keeps for itself nothing is counted: path, authority, content-type,
// grpc-timeout.
std::size_t MetadataBytes(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// Not OK: more than limits::kMetadataMaxBytes.
absl::Status CheckMetadata(const grpc::ServerContextBase& context);

}  // namespace gateway::rpc
