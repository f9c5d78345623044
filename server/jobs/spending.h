// Spending decides how many submits are allowed in a minute and in a day, of all tenants together
// and of each.
//
// It counts the submits that may have cost money, unconfirmed ones included, in sliding windows.
// The count is not stored by itself: after a restart it is read from the submissions (Recover), so
// that it cannot disagree with them. Thread-safe; no call blocks.
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

// A limit of 0 allows any number; none is above limits::kSpendingLimitMax.
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

  // Takes what was sent before this process, from Store::Recover. `started` is the time now by
  // StartTime; from then on the wall clock is not asked. Called once, before the first TryTake.
  void Recover(std::vector<Spent> spent, WallTime started);

  // Counts one submit and returns the time at which it counted it; or counts nothing, and says why
  // the submit must not be sent: RESOURCE_EXHAUSTED.
  absl::StatusOr<MonoTime> TryTake(const std::string& tenant);
  // Takes back the submit that was counted at `taken`: it was certainly not paid for. Once for
  // each.
  void Refund(const std::string& tenant, MonoTime taken);

  // The kill switch: while stopped, nothing is allowed.
  void SetStopped(bool stopped) { stopped_ = stopped; }
  bool stopped() const { return stopped_; }
  // The submits of the last day, of all tenants, to the minute.
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
  // What spent_today() counts, whatever the limits. It is one count a minute, because without
  // limits there may be very many submits.
  struct Minute {
    MonoTime begin;
    std::size_t submits = 0;
  };
  std::deque<Minute> today_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
