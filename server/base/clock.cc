#include "base/clock.h"

#include <time.h>

namespace gateway {

MonoTime SystemClock::Now() const { return std::chrono::steady_clock::now(); }

BootTime SystemClock::BootNow() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return BootTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

WallTime SystemClock::WallNow() const {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

}  // namespace gateway
