// When a caller should come again who is refused because there are too many at present.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace gateway::rpc {

// One to three seconds. The delays differ, so that those refused at once do not come back at once.
inline Duration Later(Random& random) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 + random.Uniform() * 2000));
}

}  // namespace gateway::rpc
