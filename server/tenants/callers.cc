#include "tenants/callers.h"

#include "base/errors.h"
#include "tenants/tenants_file.h"

namespace gateway::tenants {

absl::Status Callers::MayReplace(const Directory& newer) const {
  if (newer.tenants().identities || !directory()->tenants().identities) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the new tenants file would let everybody in; if that is meant, restart the gateway");
}

absl::Status Callers::Replace(DirectoryPtr newer) {
  if (absl::Status may = MayReplace(*newer); !may.ok()) return may;
  MutexLock lock(mutex_);
  directory_.swap(newer);
  return absl::OkStatus();
}

absl::StatusOr<PrincipalPtr> Callers::Identify(const CallFacts& call) const {
  return tenants::Identify(call, *directory(), trust_, clock_.WallNow());
}

absl::Status Callers::Recheck(const Principal& earlier, Role role, std::string_view method) const {
  const PrincipalPtr now = directory()->Again(earlier);
  if (now == nullptr) {
    return errors::CallerUnknown(
        "What has proved who you are does not count any longer; ask the operator of this gateway");
  }
  return CheckRole(*now, role, method);
}

absl::Status CheckRole(const Principal& principal, Role role, std::string_view method) {
  if (principal.roles.Has(role)) return absl::OkStatus();
  return errors::RoleRequired(RoleName(role), method, principal.tenant, principal.name);
}

}  // namespace gateway::tenants
