// A SelfDial asks a gRPC health service one question, over a connection that is made for it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace gateway::app {

// Tells whether what listens at `address` (host:port with a numeric host, or unix:path) says that
// it serves. An error means that it gave no answer that a gRPC server gives; the message says how
// far the call came. Blocks for at most about `timeout`.
using SelfDial = std::function<absl::StatusOr<bool>(const std::string& address, Duration timeout)>;

// Asks without TLS, by libcurl, because the gRPC library of this process is what is in question.
absl::StatusOr<bool> DialPlain(const std::string& address, Duration timeout);

}  // namespace gateway::app
