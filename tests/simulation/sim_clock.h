// Simulated time: one queue of events, run in order of their time. Single-threaded.
//
// Events of a gateway carry the number of its process: when the process is killed, what it had
// planned never happens; while it is stopped, nothing of it happens, and all of that once it goes
// on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace gateway::simulation {

class SimClock final : public Clock {
 public:
  using Id = Timers::Id;

  MonoTime Now() const override { return now_; }
  WallTime WallNow() const override { return wall_; }

  // Something in the world, whatever becomes of any process.
  void InWorld(Duration delay, std::function<void()> callback) {
    Push(now_ + delay, kWorld, std::move(callback));
  }

  // For ProcessClock.
  std::uint64_t BeginProcess() { return ++last_process_; }
  void EndProcess(std::uint64_t process) {
    std::vector<std::function<void()>> dropped;
    do {
      dropped
          .clear();  // a place that this frees may call for who waits for one, which is dropped too
      for (Plan& plan : plans_) {
        if (plan.process == process && plan.callback) {
          dropped.push_back(std::exchange(plan.callback, nullptr));
        }
      }
    } while (!dropped.empty());
    GoOn(process);
  }
  void Stop(std::uint64_t process) { stopped_[process]; }
  bool IsStopped(std::uint64_t process) const { return stopped_.contains(process); }
  void GoOn(std::uint64_t process) {
    const auto stopped = stopped_.extract(process);
    if (stopped.empty()) return;
    for (const Id late : stopped.mapped()) Add(now_, late);
  }
  Id Push(MonoTime when, std::uint64_t process, std::function<void()> callback) {
    if (free_.empty()) {
      free_.push_back(plans_.size());
      plans_.emplace_back();
    }
    const Id slot = free_.back();
    free_.pop_back();
    const Id id = ++last_number_ * (kSlotMask + 1) + slot;
    plans_[slot] = {id, process, std::move(callback)};
    Add(when, id);
    return id;
  }
  bool Cancel(std::uint64_t process, Id id) {
    Plan& plan = plans_[id & kSlotMask];
    if (plan.id != id || plan.process != process || !plan.callback) return false;
    plan.callback = nullptr;
    return true;
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
      Plan& planned = plans_[event.id & kSlotMask];
      if (!stopped_.empty() && planned.callback) {
        const auto stopped = stopped_.find(planned.process);
        if (stopped != stopped_.end()) {
          stopped->second.push_back(event.id);
          continue;
        }
      }
      const Plan plan = std::exchange(planned, {});
      free_.push_back(event.id & kSlotMask);
      if (!plan.callback) continue;
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
    Id id = Timers::kNone;
    std::uint64_t process = kWorld;
    std::function<void()> callback;  // null: cancelled
  };

  // An id is a number that grows, and below it the slot in plans_.
  void Add(MonoTime when, Id id) {
    events_.push_back({when, id});
    std::push_heap(events_.begin(), events_.end());
  }
  void MoveTo(MonoTime to) {
    wall_ += std::chrono::duration_cast<WallTime::duration>(to - now_);
    now_ = to;
  }

  MonoTime now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
  Duration drift_{0}, drift_min_{0}, drift_max_{0};  // by which it has been set, in all
  Id last_number_ = 0;
  std::uint64_t last_process_ = kWorld;
  std::vector<Event> events_;
  std::vector<Plan> plans_;
  std::vector<Id> free_;                                        // slots of plans_
  std::unordered_map<std::uint64_t, std::vector<Id>> stopped_;  // what each is late with
};

// Time for one gateway: the process that it is at present, from one start to the next end.
class ProcessClock final : public Clock, public Timers {
 public:
  explicit ProcessClock(SimClock& world) : world_(world), process_(world.BeginProcess()) {}

  MonoTime Now() const override { return world_.Now(); }
  WallTime WallNow() const override { return world_.WallNow(); }
  Id At(MonoTime when, std::function<void()> callback) override {
    return world_.Push(when, process_, std::move(callback));
  }
  bool Cancel(Id id) override { return world_.Cancel(process_, id); }
  // Something in the process; not to be cancelled.
  void In(Duration delay, std::function<void()> callback) {
    world_.Push(Now() + delay, process_, std::move(callback));
  }

  // What the process had planned is gone, and all that it held. While the process is there still.
  void End() {
    world_.EndProcess(process_);
    process_ = world_.BeginProcess();
  }
  // As by SIGSTOP and SIGCONT.
  void Stop() { world_.Stop(process_); }
  void GoOn() { world_.GoOn(process_); }
  bool stopped() const { return world_.IsStopped(process_); }

 private:
  SimClock& world_;
  std::uint64_t process_;
};

}  // namespace gateway::simulation
