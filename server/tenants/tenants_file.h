// ParseTenants reads the file of --tenants. server/docs/security.md says what may stand in it.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "tenants/tenants.h"

namespace gateway::tenants {

// Reads TOML. The first thing that is wrong ends it with INVALID_ARGUMENT, which says where
// (`name:LINE: tenants.acme.account: …`) and what to do. Callers must prove who they are if the
// file says how they may, or has a tenant other than `default`. Pure.
absl::StatusOr<Tenants> ParseTenants(std::string_view text, std::string_view name);

// Whether a tenant, an account or an API key may be called so: [a-z0-9][a-z0-9-_.]{0,62}, which
// can be a label of a metric and part of a path. Pure.
bool IsTenantName(std::string_view name);

// The role's name in the file and in messages.
std::string_view RoleName(Role role);

}  // namespace gateway::tenants
