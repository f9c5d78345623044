// `host:port` as flags take it.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "base/host_port.h"

namespace gateway::app {

using Address = HostPort;

// Reads an address. The error says what is wrong, and shows how an address is written.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace gateway::app
