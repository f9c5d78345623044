#include "base/lag_probe.h"

#include <algorithm>

namespace gateway {

Duration LagProbe::Look() {
  const MonoTime now = clock_.Now();
  {
    MutexLock lock(sign_->mutex);
    if (sign_->asked) return std::max(sign_->took, now - sign_->asked_at);
    sign_->asked = true;
    sign_->asked_at = now;
  }
  post_([sign = sign_, &clock = clock_] {
    const MonoTime came = clock.Now();
    MutexLock lock(sign->mutex);
    sign->asked = false;
    sign->took = came - sign->asked_at;
  });
  MutexLock lock(sign_->mutex);
  return sign_->took;
}

}  // namespace gateway
