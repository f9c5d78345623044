// Simulated time: one queue of events, run in order of their time. Single-threaded.
//
// Events of the gateway under test carry the number of its process: when the process is killed, what
// it had planned never happens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace gateway::simulation {

class SimClock final : public Clock, public Timers {
 public:
  MonoTime Now() const override { return now_; }
  WallTime WallNow() const override { return wall_; }

  // Timers of the process that runs at present.
  Id At(MonoTime when, std::function<void()> callback) override {
    const Id id = Push(when, process_, std::move(callback), /*timer=*/true);
    timers_.insert(id);
    return id;
  }
  bool Cancel(Id id) override { return timers_.erase(id) > 0; }

  // Something in the process that runs at present; not to be cancelled.
  void InProcess(Duration delay, std::function<void()> callback) {
    Push(now_ + delay, process_, std::move(callback));
  }
  // Something in the world, whatever becomes of the process.
  void InWorld(Duration delay, std::function<void()> callback) {
    Push(now_ + delay, kWorld, std::move(callback));
  }

  // What the process had planned is gone.
  void EndProcess() {
    ++process_;
    timers_.clear();
  }
  void JumpWall(Duration by) { wall_ += std::chrono::duration_cast<WallTime::duration>(by); }

  // Until `until`, or until `stop` says so after an event.
  template <class Stop>
  void Run(MonoTime until, const Stop& stop) {
    while (!events_.empty() && events_.front().when <= until) {
      std::pop_heap(events_.begin(), events_.end());
      Event event = std::move(events_.back());
      events_.pop_back();
      if (event.process != kWorld && event.process != process_) continue;
      if (event.timer && timers_.erase(event.id) == 0) continue;
      MoveTo(std::max(now_, event.when));
      event.callback();
      if (stop()) return;
    }
    MoveTo(until);
  }

 private:
  static constexpr std::uint64_t kWorld = 0;

  struct Event {
    MonoTime when;
    Id id;
    std::uint64_t process;
    bool timer;
    std::function<void()> callback;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : id > other.id;
    }
  };

  Id Push(MonoTime when, std::uint64_t process, std::function<void()> callback, bool timer = false) {
    const Id id = ++last_id_;
    events_.push_back({when, id, process, timer, std::move(callback)});
    std::push_heap(events_.begin(), events_.end());
    return id;
  }
  void MoveTo(MonoTime to) {
    wall_ += std::chrono::duration_cast<WallTime::duration>(to - now_);
    now_ = to;
  }

  MonoTime now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
  Id last_id_ = kNone;
  std::uint64_t process_ = 1;
  std::vector<Event> events_;
  std::unordered_set<Id> timers_;  // not yet fired
};

}  // namespace gateway::simulation
