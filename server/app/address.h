// `host:port` as flags take it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gateway::app {

struct Address {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  // "127.0.0.1:8081", "[::1]:8081".
  std::string ToString() const;
  // 127.0.0.0/8, ::1 or localhost.
  bool IsLoopback() const;
};

// Takes `127.0.0.1:50051`, `localhost:0`, `[::1]:50051`; the error says what is wrong.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace gateway::app
