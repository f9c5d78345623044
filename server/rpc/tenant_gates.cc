#include "rpc/tenant_gates.h"

#include "base/errors.h"

namespace gateway::rpc {

using std::chrono::milliseconds;

TenantGates::TenantGates(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

// Delays differ, so that callers who are refused at once do not come back at once.
Duration TenantGates::Later() const {
  return milliseconds(static_cast<std::int64_t>(500 + random_.Uniform() * 1500));
}

namespace {

// A second's calls may come at once.
TokenBucket::Size SizeOf(const tenants::Principal& principal) {
  const double most = principal.limits.requests_per_second;
  return {.per_second = most, .burst = most};
}

}  // namespace

absl::Status TenantGates::TooManyCalls(const tenants::Principal& principal, Duration wait) const {
  if (wait == Duration::zero()) return absl::OkStatus();
  return errors::TenantLimit(principal.tenant, "requests_per_second",
                             principal.limits.requests_per_second, "calls in a second",
                             wait + Later());
}

absl::Status TenantGates::CountCall(const tenants::Principal& principal) {
  if (principal.limits.requests_per_second <= 0) return absl::OkStatus();
  const MonoTime now = clock_.Now();
  MutexLock lock(state_->mutex);
  return TooManyCalls(principal,
                      state_->tenants[principal.tenant].calls.Take(SizeOf(principal), now));
}

absl::Status TenantGates::CountMore(const tenants::Principal& principal, int calls) {
  if (principal.limits.requests_per_second <= 0) return absl::OkStatus();
  const MonoTime now = clock_.Now();
  MutexLock lock(state_->mutex);
  return TooManyCalls(
      principal, state_->tenants[principal.tenant].calls.TakeAndOwe(SizeOf(principal), now, calls));
}

absl::StatusOr<TenantGates::Place> TenantGates::EnterWatch(const tenants::Principal& principal) {
  return Enter(principal, &Tenant::watches, 1, /*room_if_alone=*/false, principal.limits.watches,
               "watches", "watches at once");
}

absl::StatusOr<TenantGates::Place> TenantGates::EnterBytes(const tenants::Principal& principal,
                                                           std::size_t bytes) {
  return Enter(principal, &Tenant::bytes, static_cast<std::int64_t>(bytes), /*room_if_alone=*/true,
               principal.limits.bytes_in_flight, "bytes_in_flight",
               "bytes of large requests at once");
}

absl::StatusOr<TenantGates::Place> TenantGates::Enter(const tenants::Principal& principal,
                                                      std::int64_t Tenant::* held,
                                                      std::int64_t more, bool room_if_alone,
                                                      std::int64_t max, const char* limit,
                                                      const char* what) {
  if (max <= 0) return nullptr;
  {
    MutexLock lock(state_->mutex);
    std::int64_t& now = state_->tenants[principal.tenant].*held;
    if (now + more <= max || (room_if_alone && now == 0)) {
      now += more;
      // The deleter gives the place back; there is nothing to delete.
      return Place(this, [state = state_, tenant = principal.tenant, held, more](void*) {
        MutexLock relock(state->mutex);
        state->tenants[tenant].*held -= more;
      });
    }
  }
  return errors::TenantLimit(principal.tenant, limit, max, what, Later());
}

}  // namespace gateway::rpc
