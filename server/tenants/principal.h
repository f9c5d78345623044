// A Principal is who makes a call, as far as that is proven.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "tenants/tenants.h"

namespace gateway::tenants {

// What has proved it.
enum class Proof {
  kNone,   // nothing was asked for
  kKey,    // an API key
  kToken,  // a JSON Web Token
  kName,   // a certificate, or the word of a trusted proxy
};

struct Principal {
  std::string tenant = kDefaultTenant;
  // That the tenant's new jobs are made with. Where callers pay it is that of the key which the
  // call shows; empty: it shows none, and can make nothing.
  std::string account = kDefaultAccount;
  bool callers_pay = false;
  bool alone = true;  // there is no other tenant
  // Whether a job that only Pictory knows becomes the tenant's when it is named. Everybody who
  // shares an account could name the jobs of the others, so there only operators may.
  bool adopts = true;
  // For people: `key:ci`, or the identity of the tenants file: `san:spiffe://…`, `jwt:alice`,
  // `header:acme`.
  std::string name = "anybody";
  std::string identity;  // of kName and kToken, as the document would have it
  Roles roles = Roles::All();
  TenantLimits limits;
  Proof proof = Proof::kNone;
  Sha256 evidence{};  // of the API key, or of the rules and the key that hold for a token
  std::optional<WallTime> until;  // of a token: when it ends
};

// Shared by all calls of the same caller.
using PrincipalPtr = std::shared_ptr<const Principal>;

}  // namespace gateway::tenants
