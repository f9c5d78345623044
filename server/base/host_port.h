// HostPort is `host:port` as people write it, for flags of the server and targets of the client.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gateway {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  // "127.0.0.1:8081", "[::1]:8081".
  std::string ToString() const;
  // 127.0.0.0/8, ::1 or localhost.
  bool IsLoopback() const;
};

// Takes `127.0.0.1:50051`, `localhost:0`, `[::1]:50051`. The host is a name as DNS allows it, with
// `_` besides, or a literal address. The error is only the reason, such as "the port is missing".
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

}  // namespace gateway
