// CorrectedClock is the machine's clocks, its wall clock put right by that of a store which several
// processes share: what they write and compare is then of one clock, whatever each machine's says.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace gateway {

class CorrectedClock final : public Clock {
 public:
  MonoTime Now() const override { return machine_.Now(); }
  BootTime BootNow() const override { return machine_.BootNow(); }
  WallTime WallNow() const override {
    return machine_.WallNow() +
           std::chrono::duration_cast<WallTime::duration>(Duration(ahead_.load()));
  }

  // So far is the other clock ahead of this machine's wall clock; less than zero: behind it.
  void SetAhead(Duration ahead) { ahead_ = ahead.count(); }
  Duration ahead() const { return Duration(ahead_.load()); }

 private:
  const SystemClock machine_;
  std::atomic<Duration::rep> ahead_{0};
};

}  // namespace gateway
