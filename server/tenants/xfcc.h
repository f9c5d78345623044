// ParseXfcc reads Envoy's header x-forwarded-client-cert, by which a proxy says whose certificate
// its neighbour has shown.
//
// Each proxy on the way adds an element at the end, and what a caller has forged stands in front of
// it. So only the last element counts: the one that our own neighbour has added.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gateway::tenants {

struct ClientCertificate {
  std::string by;       // the URI name of the proxy's own certificate
  std::string hash;     // SHA-256 of the certificate, in hex
  std::string subject;  // its distinguished name
  std::vector<std::string> uris;
  std::vector<std::string> dns;
};

// The last element. INVALID_ARGUMENT if anything of the header cannot be read, because then nobody
// knows where the last element begins. Cert and Chain are passed over. Pure.
absl::StatusOr<ClientCertificate> ParseXfcc(std::string_view header);

}  // namespace gateway::tenants
