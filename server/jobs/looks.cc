#include "jobs/looks.h"

#include "base/limits.h"

namespace gateway::jobs {

Duration Looks::Take(double per_second, const std::string& tenant, MonoTime now, int many) {
  const TokenBucket::Size all{.per_second = per_second, .burst = limits::kLooksBurst};
  if (tenant.empty()) return all_.Take(all, now, many);
  TokenBucket::Size own{.per_second = per_second / 2};
  std::erase_if(of_tenant_, [&](const auto& one) { return one.second.Left(own, now) >= 0; });
  TokenBucket taken = of_tenant_[tenant];
  // As in jobs/places.h: before the last of them it has no more than are left.
  own.burst = all_.Left(all, now) - many + 1;
  if (const Duration wait = taken.Take(own, now, many); wait > Duration::zero()) return wait;
  if (const Duration wait = all_.Take(all, now, many); wait > Duration::zero()) return wait;
  of_tenant_[tenant] = taken;
  return Duration::zero();
}

}  // namespace gateway::jobs
