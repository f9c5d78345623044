// Simulated time: a Clock and Timers that move only when a test says so. One thread at a time may
// use it. A test whose other threads read it has the clock wait for them before it moves.
#pragma once

#include <map>
#include <utility>

#include "base/clock.h"

namespace gateway::test {

class FakeClock final : public Clock, public Timers {
 public:
  MonoTime Now() const override { return now_; }
  BootTime BootNow() const override { return BootTime(now_.time_since_epoch() + slept_); }
  WallTime WallNow() const override { return wall_; }

  Id At(MonoTime when, std::function<void()> callback) override {
    const Id id = ++last_id_;
    timers_.emplace(std::make_pair(when, id), std::move(callback));
    return id;
  }
  bool Cancel(Id id) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second == id) {
        timers_.erase(it);
        return true;
      }
    }
    return false;
  }

  // Moves both clocks, firing on the way what falls due, in order.
  void Advance(Duration by) {
    const MonoTime until = now_ + by;
    if (settle_) settle_();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      auto node = timers_.extract(timers_.begin());
      MoveTo(std::max(now_, node.key().first));
      node.mapped()();
      if (settle_) settle_();
    }
    MoveTo(until);
  }
  // `settle` returns when the threads that a timer gave work to have done it; they then find the
  // time at which the timer fired, and never one that is being written.
  void SettleBeforeMoving(std::function<void()> settle) { settle_ = std::move(settle); }
  // Only the wall clock: what an operator or NTP does.
  void JumpWall(Duration by) { wall_ += std::chrono::duration_cast<WallTime::duration>(by); }
  // The machine sleeps: its monotonic clock stands still meanwhile, and no timer fires.
  void Suspend(Duration for_so_long) {
    slept_ += for_so_long;
    JumpWall(for_so_long);
  }
  // No timer fires any more.
  void Forget() { timers_.clear(); }
  std::size_t pending() const { return timers_.size(); }
  // MonoTime::max() if nothing is pending.
  MonoTime next() const { return timers_.empty() ? MonoTime::max() : timers_.begin()->first.first; }

 private:
  void MoveTo(MonoTime to) {
    wall_ += std::chrono::duration_cast<WallTime::duration>(to - now_);
    now_ = to;
  }

  MonoTime now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
  Duration slept_{0};
  std::map<std::pair<MonoTime, Id>, std::function<void()>> timers_;
  Id last_id_ = kNone;
  std::function<void()> settle_;
};

}  // namespace gateway::test
