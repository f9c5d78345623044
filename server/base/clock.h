// Clock and Timers are time, injected everywhere it matters so that tests and the simulator control
// it.
//
// MonoTime drives every interval and schedule: a jump of the wall clock moves none of them.
// WallTime is for what people read and for what is stored. BootTime is for what ends while this
// machine sleeps, because others go on: MonoTime stands still in a suspended machine, and BootTime
// does not. It is a type of its own, so that the two are not compared.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace gateway {

using Duration = std::chrono::nanoseconds;
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
struct BootClock {};  // CLOCK_BOOTTIME
using BootTime = std::chrono::time_point<BootClock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime Now() const = 0;
  // A clock of a machine that is never suspended need not say it.
  virtual BootTime BootNow() const { return BootTime(Now().time_since_epoch()); }
  virtual WallTime WallNow() const = 0;
};

// The machine's clocks. Thread-safe, stateless.
class SystemClock final : public Clock {
 public:
  MonoTime Now() const override;
  BootTime BootNow() const override;
  WallTime WallNow() const override;
};

// Timers run callbacks at given times. Callbacks run one at a time, on a thread that the timers own
// (in tests on the caller's), under no lock. They must not block.
class Timers {
 public:
  using Id = std::uint64_t;
  static constexpr Id kNone = 0;

  virtual ~Timers() = default;
  // Never kNone. Times in the past fire as soon as possible.
  virtual Id At(MonoTime when, std::function<void()> callback) = 0;
  // True if the callback will not run; false if it ran, is running or is unknown.
  virtual bool Cancel(Id id) = 0;
};

}  // namespace gateway
