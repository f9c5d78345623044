// Addresses as flags take them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/host_port.h"
#include "rpc/listener.h"

namespace gateway::app {

using Address = HostPort;

// Reads `host:port`. The error says what is wrong, and shows how an address is written.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// Where gRPC's callers come in, and how they are spoken to there.
struct ListenAddress {
  Address address;
  rpc::Security security = rpc::Security::kPlain;
  std::string unix_path;  // if it is not empty, it counts and not the address

  // Whether only this machine can reach it.
  bool IsLocal() const { return !unix_path.empty() || address.IsLoopback(); }
  // As the server takes it: `host:port`, `unix:/path`.
  std::string ToString() const;
  // As clients take it: the same, but `https://host:port` for TLS.
  std::string Target() const;
};

// Reads `host:port`, `tls:host:port`, `mtls:host:port` or `unix:/path`. The error says what is
// wrong, and shows how it is written.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace gateway::app
