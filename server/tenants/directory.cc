#include "tenants/directory.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "tenants/api_key.h"

namespace gateway::tenants {
namespace {

std::uint64_t FirstBytes(const Sha256& hash) {
  std::uint64_t first = 0;
  std::memcpy(&first, hash.data(), sizeof first);
  return first;
}

Principal Of(const Tenant& tenant, std::string name, Proof proof) {
  Principal principal;
  principal.tenant = tenant.name;
  principal.account = tenant.callers_pay ? "" : tenant.account;
  principal.callers_pay = tenant.callers_pay;
  principal.identity = name;
  principal.name = std::move(name);
  principal.roles = tenant.roles;
  principal.limits = tenant.limits;
  principal.proof = proof;
  return principal;
}

}  // namespace

std::size_t Directory::HashOfHash::operator()(const Sha256& hash) const {
  return static_cast<std::size_t>(FirstBytes(hash));
}

Directory::Directory(Tenants tenants, std::unique_ptr<const JwtVerifier> jwt)
    : tenants_(std::move(tenants)), jwt_(std::move(jwt)) {
  for (const auto& [name, tenant] : tenants_.tenants) {
    if (!tenant.callers_pay) ++tenants_of_[tenant.account];
  }
  Principal anybody;
  for (const auto& [name, tenant] : tenants_.tenants) {
    if (name == kDefaultTenant) anybody = Made(Of(tenant, anybody.name, Proof::kNone));
    for (const ApiKey& key : tenant.keys) {
      Principal principal = Of(tenant, absl::StrCat("key:", key.name), Proof::kKey);
      principal.roles = key.roles.And(tenant.roles);
      principal.evidence = key.sha256;
      by_key_.emplace(
          FirstBytes(key.sha256),
          KnownKey{key.sha256, std::make_shared<const Principal>(Made(std::move(principal)))});
    }
    for (const std::string& identity : tenant.identities) {
      by_name_.emplace(identity,
                       std::make_shared<const Principal>(Made(Of(tenant, identity, Proof::kName))));
    }
  }
  anybody_ = std::make_shared<const Principal>(std::move(anybody));
}

// Notes whether there are others, and whether the principal adopts jobs.
Principal Directory::Made(Principal principal) const {
  principal.alone = tenants_.tenants.size() <= 1;
  const auto sharing = tenants_of_.find(principal.account);
  const bool owns = sharing == tenants_of_.end() || sharing->second <= 1;
  principal.adopts = !principal.account.empty() && (owns || principal.roles.Has(Role::kOperate));
  return principal;
}

std::shared_ptr<const Directory> Directory::OfDefault(bool callers_pay, NotifyRules notify) {
  Tenants tenants;
  if (callers_pay || !notify.empty()) {
    tenants.tenants[kDefaultTenant] = {
        .name = kDefaultTenant, .callers_pay = callers_pay, .notify = std::move(notify)};
  }
  return std::make_shared<const Directory>(std::move(tenants), nullptr);
}

PrincipalPtr Directory::FindKey(std::string_view key) const {
  const Sha256 hash = Sha256Of(key);
  const auto [begin, end] = by_key_.equal_range(FirstBytes(hash));
  for (auto known = begin; known != end; ++known) {
    if (SameHash(known->second.sha256, hash)) return known->second.principal;
  }
  return nullptr;
}

PrincipalPtr Directory::FindName(std::string_view identity) const {
  const auto found = by_name_.find(identity);
  return found == by_name_.end() ? nullptr : found->second;
}

absl::StatusOr<PrincipalPtr> Directory::MakePrincipal(const JwtVerifier::Verified& token) const {
  Principal principal;
  const std::string identity = absl::StrCat("jwt:", token.subject);
  if (jwt_->names_tenants()) {
    const auto tenant = tenants_.tenants.find(token.tenant);
    if (tenant == tenants_.tenants.end()) {
      return absl::InvalidArgumentError("The token names a tenant that there is not");
    }
    principal = Of(tenant->second, identity, Proof::kToken);
  } else {
    const PrincipalPtr known = FindName(identity);
    if (known == nullptr) {
      return absl::InvalidArgumentError("The token's subject belongs to no tenant");
    }
    principal = *known;
    principal.proof = Proof::kToken;
  }
  principal.name = errors::Clean(principal.name);
  principal.evidence = token.evidence;
  principal.until = token.until;
  return std::make_shared<const Principal>(Made(std::move(principal)));
}

absl::StatusOr<PrincipalPtr> Directory::FindToken(std::string_view token, WallTime now) const {
  if (jwt_ == nullptr) return absl::InvalidArgumentError("Tokens do not count here");
  if (token.size() > limits::kJwtMaxBytes) {
    return absl::InvalidArgumentError("The token is too long");
  }
  const Sha256 hash = Sha256Of(token);
  {
    MutexLock lock(mutex_);
    const auto known = tokens_.find(hash);
    if (known != tokens_.end()) {
      if (now < *known->second->until) return known->second;
      tokens_.erase(known);
    }
  }
  const absl::StatusOr<JwtVerifier::Verified> verified = jwt_->Verify(token, now);
  if (!verified.ok()) return verified.status();
  absl::StatusOr<PrincipalPtr> principal = MakePrincipal(*verified);
  if (!principal.ok()) return principal;
  MutexLock lock(mutex_);
  // Any one goes: it costs its owner one more verification.
  if (tokens_.size() >= limits::kJwtsCachedMax) tokens_.erase(tokens_.begin());
  tokens_.insert_or_assign(hash, *principal);
  return principal;
}

PrincipalPtr Directory::Again(const Principal& earlier) const {
  PrincipalPtr now;
  switch (earlier.proof) {
    case Proof::kNone:
      if (!tenants_.identities) now = anybody_;
      break;
    case Proof::kKey: {
      const auto [begin, end] = by_key_.equal_range(FirstBytes(earlier.evidence));
      for (auto known = begin; known != end; ++known) {
        if (known->second.sha256 == earlier.evidence) now = known->second.principal;
      }
      break;
    }
    case Proof::kName:
      now = FindName(earlier.identity);
      break;
    case Proof::kToken: {
      if (jwt_ == nullptr || !jwt_->Takes(earlier.evidence)) break;
      if (!jwt_->names_tenants()) {
        now = FindName(earlier.identity);
      } else if (const auto tenant = tenants_.tenants.find(earlier.tenant);
                 tenant != tenants_.tenants.end()) {
        now = std::make_shared<const Principal>(Of(tenant->second, earlier.name, Proof::kToken));
      }
      break;
    }
  }
  return now != nullptr && now->tenant == earlier.tenant ? now : nullptr;
}

}  // namespace gateway::tenants
