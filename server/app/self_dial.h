// One question to a gRPC health service, over a connection that is made for it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace gateway::app {

// Whether what listens at `address` (host:port with a numeric host, or unix:path) says that it
// serves. An error: it gave no answer that a gRPC server gives, and the message says how far it
// came. Blocks for at most about `timeout`.
using SelfDial = std::function<absl::StatusOr<bool>(const std::string& address, Duration timeout)>;

// Without TLS. By libcurl, because the gRPC library of this process is what is in question.
absl::StatusOr<bool> DialPlain(const std::string& address, Duration timeout);

}  // namespace gateway::app
