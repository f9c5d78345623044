// Identify finds out who makes a call, from what is known of it.
//
// The sources are asked in this order, and the first that claims to know decides, even if it then
// does not count: the certificate of the connection, an API key, a JSON Web Token, what a trusted
// proxy says of its neighbour's certificate, a header with the tenant's name from a trusted proxy.
// A certificate, the connection's or the neighbour's, claims something only if one of its names is
// in the document: a proxy has a certificate of its own. What comes from a proxy that is not
// trusted is as if it were not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "tenants/directory.h"
#include "tenants/principal.h"
#include "tenants/trusted_proxies.h"

namespace gateway::tenants {

inline constexpr char kAuthorizationHeader[] = "authorization";
inline constexpr char kXfccHeader[] = "x-forwarded-client-cert";

// Whom to believe.
struct TrustRules {
  TrustedProxies proxies;
  bool xfcc = false;          // what proxies say of certificates counts
  std::string tenant_header;  // the header in which they name a tenant; empty: none counts
};

struct Header {
  std::string_view value;
  int count = 0;  // how often the call has it
};

struct CallFacts {
  std::vector<std::string> sans;  // names in the peer's certificate, if that was verified
  Header authorization;
  Header xfcc;
  Header tenant;          // the header of TrustRules::tenant_header
  std::string_view peer;  // as the gRPC library names it
};

// UNAUTHENTICATED, with words on what counts here, if nobody is proven. Pure but for the
// directory's memory of tokens.
absl::StatusOr<PrincipalPtr> Identify(const CallFacts& call, const Directory& directory,
                                      const TrustRules& trust, WallTime now);

}  // namespace gateway::tenants
