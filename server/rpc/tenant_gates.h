// TenantGates bound what one tenant has of the gateway at once, by the limits of its principals.
// They are asked once the caller is known; those of Admission hold for everybody.
//
// Thread-safe. A tenant without limits costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/token_bucket.h"
#include "tenants/principal.h"

namespace gateway::rpc {

class TenantGates {
 public:
  // What was counted, given back when it goes; null where there is no limit. It may outlive the
  // gates.
  using Place = std::shared_ptr<void>;

  // The arguments must outlive the gates.
  TenantGates(const Clock& clock, Random& random);

  // Counts a call, of which the tenant may begin so many a second.
  absl::Status CountCall(const tenants::Principal& principal);
  // Counts a call that does the work of so many more, if none before it is still being waited for.
  // Those that come next wait for it.
  absl::Status CountMore(const tenants::Principal& principal, int calls);
  // A place for an open watch.
  absl::StatusOr<Place> EnterWatch(const tenants::Principal& principal);
  // Room for the bytes of a large request. A tenant that has none in flight may have any number.
  absl::StatusOr<Place> EnterBytes(const tenants::Principal& principal, std::size_t bytes);

 private:
  struct Tenant {
    std::int64_t watches = 0;
    std::int64_t bytes = 0;
    TokenBucket calls;
  };
  struct State {
    Mutex mutex;
    std::unordered_map<std::string, Tenant> tenants GUARDED_BY(mutex);
  };
  Duration Later() const;
  absl::Status TooManyCalls(const tenants::Principal& principal, Duration wait) const;
  absl::StatusOr<Place> Enter(const tenants::Principal& principal, std::int64_t Tenant::* held,
                              std::int64_t more, bool room_if_alone, std::int64_t max,
                              const char* limit, const char* what);

  const Clock& clock_;
  Random& random_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace gateway::rpc
