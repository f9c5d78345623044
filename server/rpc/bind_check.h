// Why an address cannot be listened on, in words: the gRPC library says only that it failed, and
// only to its own log.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace gateway::rpc {

// Tries to bind `address` (host:port, [host]:port or unix:path) for a moment. OK if it can be used,
// or if it is written in a way that only the library understands.
absl::Status CheckBind(const std::string& address);

// The library failed to use it, for a reason it keeps to itself.
absl::Status BindFailure(const std::string& address);

}  // namespace gateway::rpc
