// Owner says whose a new job is: the tenant who sees it, and the account that makes it.
#pragma once

#include <string>

#include "tenants/tenants.h"

namespace gateway::jobs {

struct Owner {
  std::string tenant = tenants::kDefaultTenant;
  std::string account = tenants::kDefaultAccount;
  // Whether a job that only Pictory knows becomes the tenant's when it is named. Everybody who
  // shares an account could name the jobs of the others, so there only operators may.
  bool adopts = true;
  bool alone = true;  // there is no other tenant

  // For counting what each tenant of several takes; empty where there is one.
  std::string OneOfSeveral() const { return alone ? "" : tenant; }

  bool operator==(const Owner&) const = default;
};

}  // namespace gateway::jobs
