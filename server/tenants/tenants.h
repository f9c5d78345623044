// Tenants is the document that says who may use a gateway: the Pictory accounts, the tenants with
// their roles and limits, and how callers prove who they are. It comes from the file of --tenants,
// or, without one, from the flags: one tenant and one account, both `default`.
//
// It holds no secrets: of API keys only their SHA-256, of credentials only the names of files. A
// document does not change once it is read; a newer file is another document.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/job.pb.h"
#include "tenants/notify_rules.h"

namespace gateway::tenants {

inline constexpr char kDefaultTenant[] = "default";
inline constexpr char kDefaultAccount[] = "default";

// What a caller may do.
enum class Role : std::uint8_t {
  kRead = 1,     // see the tenant's jobs, watches and results
  kSubmit = 2,   // start jobs that cost money, and ask for places to upload to
  kOperate = 4,  // resolve, delete, adopt jobs on a shared account, and see the account
};

class Roles {
 public:
  constexpr Roles() = default;
  static constexpr Roles All() {
    return Roles().With(Role::kRead).With(Role::kSubmit).With(Role::kOperate);
  }
  constexpr Roles With(Role role) const {
    return Roles(static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(role)));
  }
  // The roles that both have.
  constexpr Roles And(Roles other) const {
    return Roles(static_cast<std::uint8_t>(bits_ & other.bits_));
  }
  constexpr bool Has(Role role) const { return (bits_ & static_cast<std::uint8_t>(role)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(Roles, Roles) = default;

 private:
  constexpr explicit Roles(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

// Of one tenant. 0 is no limit of its own; those of the whole gateway hold for everybody.
struct TenantLimits {
  int submits_per_minute = 0;
  int submits_per_day = 0;
  std::int64_t credits_per_day = 0;  // Pictory's AI credits, in any 24 hours
  int active_jobs = 0;               // that have not ended
  int watches = 0;                   // open streams of WatchJob and WatchJobs
  std::int64_t bytes_in_flight = 0;  // of requests beyond 64 KiB that have not been answered
  std::int64_t archive_bytes = 0;    // of archived files, on disk
  int requests_per_second = 0;       // calls of any kind, with as many at once as come in a second
  friend bool operator==(const TenantLimits&, const TenantLimits&) = default;
};

using Sha256 = std::array<std::uint8_t, 32>;

struct ApiKey {
  std::string name;  // for the log; unique within the tenant
  Sha256 sha256{};   // of the key's text
  Roles roles;       // never more than the tenant's
};

struct Tenant {
  std::string name;
  std::string account = kDefaultAccount;  // that its new jobs are made with
  // Its callers show Pictory keys of their own (tenants/caller_key.h), and have no other account.
  bool callers_pay = false;
  Roles roles = Roles::All();
  TenantLimits limits;
  std::vector<ApiKey> keys;
  // Who else belongs to the tenant: `san:NAME` (of a client certificate, seen by this gateway or by
  // a trusted proxy), `jwt:SUBJECT` and `header:VALUE`.
  std::vector<std::string> identities;
  NotifyRules notify;
};

// One account at Pictory. Either an API key or a client's id and secret prove who asks.
struct Account {
  std::string name;
  std::string api_key_file;
  std::string client_id;
  std::string client_secret_file;
  std::string user_id;   // of accounts that need one beside the client's id
  std::string base_url;  // empty: the gateway's
  // Which API version's paths a kind of job uses; the gateway's where a kind is missing.
  std::map<::pictory::jobs::v1::JobKind, ::pictory::jobs::v1::PathVersion> api_versions;
  double requests_per_second = 0;  // 0: the gateway's
  double burst = 0;
};

// How JSON Web Tokens are checked. Tokens count only if there is such a table.
struct JwtRules {
  std::string jwks_file;
  std::string issuer;                   // `iss` must be it
  std::string audience;                 // `aud` must name it
  std::vector<std::string> algorithms;  // of RS256, PS256, ES256 and their longer forms; never HS
  std::string tenant_claim;             // names the tenant; empty: `sub` is looked up as `jwt:SUB`
  std::chrono::seconds leeway{30};      // for `exp` and `nbf`; at most 60
};

struct Tenants {
  std::map<std::string, Account> accounts;
  std::map<std::string, Tenant> tenants;
  std::optional<JwtRules> jwt;
  // Whether callers must prove who they are. If not, everybody is the tenant `default`.
  bool identities = false;
};

}  // namespace gateway::tenants
