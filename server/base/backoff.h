// How long to wait for another try, or how long to give it.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace gateway {

// `first` after no failure, and twice as long after each, at most `most`.
constexpr Duration Doubled(Duration first, int failures, Duration most) {
  return std::min(first * (1 << std::clamp(failures, 0, 10)), most);
}

}  // namespace gateway
