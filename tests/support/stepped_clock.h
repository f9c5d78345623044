// A clock that moves only when a test says so, while other threads read it.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace gateway::test {

// Both clocks at once.
class SteppedClock final : public Clock {
 public:
  MonoTime Now() const override { return MonoTime(Duration(std::chrono::hours(1)) + passed()); }
  WallTime WallNow() const override {
    return WallTime(std::chrono::hours(24 * 365 * 50) +
                    std::chrono::duration_cast<std::chrono::microseconds>(passed()));
  }
  void Advance(double seconds) { passed_ += static_cast<std::int64_t>(seconds * 1e9); }

 private:
  Duration passed() const { return Duration(passed_.load()); }
  std::atomic<std::int64_t> passed_{0};
};

}  // namespace gateway::test
