// Simulated time: one queue of events, run in order of their time. Single-threaded.
//
// Events of the gateway under test carry the number of its process: when the process is killed,
// what it had planned never happens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
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
    return Push(when, process_, std::move(callback));
  }
  bool Cancel(Id id) override {
    Plan& plan = plans_[id & kSlotMask];
    if (plan.id != id || plan.process != process_ || !plan.callback) return false;
    plan.callback = nullptr;
    return true;
  }

  // Something in the process that runs at present; not to be cancelled.
  void InProcess(Duration delay, std::function<void()> callback) {
    Push(now_ + delay, process_, std::move(callback));
  }
  // Something in the world, whatever becomes of the process.
  void InWorld(Duration delay, std::function<void()> callback) {
    Push(now_ + delay, kWorld, std::move(callback));
  }

  // What the process had planned is gone, and all that it held. While the process is there still.
  void EndProcess() {
    for (Plan& plan : plans_) {
      if (plan.process == process_) plan.callback = nullptr;
    }
    ++process_;
  }
  // By so much; the other way if it would then have been wrong by more than `most` between two of
  // its times.
  void JumpWall(Duration by, Duration most) {
    if (std::max(drift_ + by, drift_max_) - std::min(drift_ + by, drift_min_) > most) by = -by;
    drift_ += by;
    drift_min_ = std::min(drift_min_, drift_);
    drift_max_ = std::max(drift_max_, drift_);
    wall_ += std::chrono::duration_cast<WallTime::duration>(by);
  }

  // Until `until`, or until `stop` says so after an event.
  template <class Stop>
  void Run(MonoTime until, const Stop& stop) {
    while (!events_.empty() && events_.front().when <= until) {
      std::pop_heap(events_.begin(), events_.end());
      const Event event = events_.back();
      events_.pop_back();
      const Plan plan = std::exchange(plans_[event.id & kSlotMask], {});
      free_.push_back(event.id & kSlotMask);
      if (!plan.callback || (plan.process != kWorld && plan.process != process_)) continue;
      MoveTo(std::max(now_, event.when));
      plan.callback();
      if (stop()) return;
    }
    MoveTo(until);
  }

 private:
  static constexpr std::uint64_t kWorld = 0;

  static constexpr Id kSlotMask = 0xffffff;

  // What is moved about in the queue: small, for that is most of its work.
  struct Event {
    MonoTime when;
    Id id;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : id > other.id;
    }
  };
  struct Plan {
    Id id = kNone;
    std::uint64_t process = kWorld;
    std::function<void()> callback;  // null: cancelled
  };

  // An id is a number that grows, and below it the slot in plans_.
  Id Push(MonoTime when, std::uint64_t process, std::function<void()> callback) {
    if (free_.empty()) {
      free_.push_back(plans_.size());
      plans_.emplace_back();
    }
    const Id slot = free_.back();
    free_.pop_back();
    const Id id = ++last_number_ * (kSlotMask + 1) + slot;
    plans_[slot] = {id, process, std::move(callback)};
    events_.push_back({when, id});
    std::push_heap(events_.begin(), events_.end());
    return id;
  }
  void MoveTo(MonoTime to) {
    wall_ += std::chrono::duration_cast<WallTime::duration>(to - now_);
    now_ = to;
  }

  MonoTime now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
  Duration drift_{0}, drift_min_{0}, drift_max_{0};  // by which it has been set, in all
  Id last_number_ = 0;
  std::uint64_t process_ = 1;
  std::vector<Event> events_;
  std::vector<Plan> plans_;
  std::vector<Id> free_;  // slots of plans_
};

}  // namespace gateway::simulation
