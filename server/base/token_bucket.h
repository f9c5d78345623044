// TokenBucket bounds how often something may be done: a burst at once, and so many a second in the
// long run. It is full at first.
//
// It is not thread-safe: its owner locks. It reads no clock and depends only on the times it is
// given.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace gateway {

class TokenBucket {
 public:
  struct Size {
    double per_second = 0;
    double burst = 0;  // at least as many as are ever taken at once
  };

  // Takes so many tokens, and returns zero; or takes none, and returns how long until there are as
  // many, if nobody else takes any meanwhile. The size may be another one each time: what counts is
  // how long the bucket still takes to be full.
  Duration Take(const Size& size, MonoTime now, double many = 1) {
    const MonoTime full_at = std::max(full_at_, now) + TimeOf(many, size);
    const Duration wait = full_at - TimeOf(size.burst, size) - now;
    if (wait > Duration::zero()) return wait;
    full_at_ = full_at;
    return Duration::zero();
  }

  // How many tokens could be taken now.
  double Left(const Size& size, MonoTime now) const {
    const double missing = std::chrono::duration<double>(std::max(full_at_, now) - now).count();
    return size.burst - missing * size.per_second;
  }

  // Takes so many tokens although there may be fewer, and returns zero: what was not there is owed,
  // and until then nothing can be taken. Or, while something is owed, takes none, and returns how
  // long that is.
  Duration TakeAndOwe(const Size& size, MonoTime now, double many) {
    const Duration owed = Take(size, now, 0);
    if (owed == Duration::zero()) full_at_ = std::max(full_at_, now) + TimeOf(many, size);
    return owed;
  }

 private:
  static Duration TimeOf(double tokens, const Size& size) {
    return Duration(static_cast<Duration::rep>(tokens * 1e9 / size.per_second));
  }

  MonoTime full_at_ = MonoTime::min();
};

}  // namespace gateway
