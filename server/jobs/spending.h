// How many paid submits are allowed: a minute and a day, of all tenants together and of each.
//
// Counts what may have cost money, outcomes unknown included, in sliding windows. The count is not
// kept anywhere of its own: after a restart it is read from the submissions themselves (Recover),
// so that it cannot disagree with them. Thread-safe; no call blocks.
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/store.h"

namespace gateway::jobs {

// 0 allows any number. At most limits::kSpendingLimitMax.
struct SpendingLimits {
  int per_minute = 0;
  int per_day = 0;
  int tenant_per_minute = 0;
  int tenant_per_day = 0;
};

class Spending {
 public:
  // `clock` must outlive this.
  Spending(SpendingLimits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  // What was sent before this process, from Store::Recover, by the time it is now: that of
  // StartTime, since from then on the wall clock is not asked. Once, before the first TryTake.
  void Recover(std::vector<Spent> spent, WallTime started);

  // Counts one submit, and returns when; or says why it must not be: RESOURCE_EXHAUSTED, and
  // nothing is counted.
  absl::StatusOr<MonoTime> TryTake(const std::string& tenant);
  // The submit that was counted then was certainly not paid for. Once for each.
  void Refund(const std::string& tenant, MonoTime taken);

  // The kill switch: while stopped, nothing is allowed.
  void SetStopped(bool stopped) { stopped_ = stopped; }
  bool stopped() const { return stopped_; }
  // In the last day, of all tenants, to the minute.
  std::size_t spent_today() const;

 private:
  // The times of the last submits within a window, in order, never more than its limit.
  struct Window {
    Duration length;
    int limit;
    std::deque<MonoTime> times{};

    // When one more fits; not after `now` if it does.
    MonoTime FreeAt(MonoTime now);
    void Add(MonoTime when);
    void Remove(MonoTime when);  // one of then, if it still counts
  };
  struct Pair {
    Window minute;
    Window day;
  };

  Pair Make(int per_minute, int per_day) const;
  Pair& OfTenant(const std::string& tenant) REQUIRES(mutex_);
  void Count(const std::string& tenant, MonoTime when) REQUIRES(mutex_);

  const SpendingLimits limits_;
  const Clock& clock_;
  std::atomic<bool> stopped_{false};
  mutable Mutex mutex_;
  Pair all_ GUARDED_BY(mutex_) = Make(limits_.per_minute, limits_.per_day);
  std::unordered_map<std::string, Pair> tenants_ GUARDED_BY(mutex_);
  // For people: of all, whatever the limits. A count a minute, since without limits there may be
  // very many of them.
  struct Minute {
    MonoTime begin;
    std::size_t submits = 0;
  };
  std::deque<Minute> today_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
