// TrustedProxies are the neighbours whose word about a caller counts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gateway::tenants {

class TrustedProxies {
 public:
  TrustedProxies() = default;  // nobody

  // Reads `10.0.0.0/8, 2001:db8::/32, 127.0.0.6, unix`; `unix` is whoever comes by a unix socket. A
  // network with bits beyond its length is a mistake, and refused. Pure.
  static absl::StatusOr<TrustedProxies> Parse(std::string_view text);

  // `peer` as the gRPC library names it: ipv4:10.0.0.1:5, ipv6:%5B::1%5D:5, unix:.
  bool Has(std::string_view peer) const;
  bool empty() const { return networks_.empty() && !unix_; }

 private:
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Network {
    Bytes first{};
    int bits = 0;
  };
  static bool ReadAddress(std::string_view text, Bytes& out, bool& v4);

  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace gateway::tenants
