// One Pictory account as submitter and poller share it: its request budget, and whether it answers.
//
// Thread-safe; no call blocks.
#pragma once

#include <atomic>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/budget.h"

namespace gateway::jobs {

class Account {
 public:
  Account(BudgetOptions options, const Clock& clock)
      : clock_(clock), requests_per_second_(options.requests_per_second),
        budget_(options, clock.Now()) {}

  bool TryTake(Budget::Share share) {
    MutexLock lock(mutex_);
    return budget_.TryTake(share, clock_.Now());
  }
  void Spend(Budget::Share share) {
    MutexLock lock(mutex_);
    budget_.Spend(share, clock_.Now());
  }
  void Refund(Budget::Share share) {
    MutexLock lock(mutex_);
    budget_.Refund(share);
  }
  MonoTime NextAt(Budget::Share share) {
    MutexLock lock(mutex_);
    return budget_.NextAt(share, clock_.Now());
  }
  void OnRateLimited(Duration retry_after) {
    MutexLock lock(mutex_);
    budget_.OnRateLimited(retry_after, clock_.Now());
  }
  // Pictory refuses the credentials: everything waits a while, no job is touched.
  void Pause(Duration for_how_long) {
    MutexLock lock(mutex_);
    budget_.BlockUntil(clock_.Now() + for_how_long);
  }

  // Polls get no answers at present: what watchers see may lag.
  bool degraded() const { return degraded_.load(std::memory_order_relaxed); }
  // True if this changed it.
  bool SetDegraded(bool degraded) { return degraded_.exchange(degraded) != degraded; }

  double requests_per_second() const { return requests_per_second_; }

 private:
  const Clock& clock_;
  const double requests_per_second_;
  Mutex mutex_;
  Budget budget_ GUARDED_BY(mutex_);
  std::atomic<bool> degraded_{false};
};

}  // namespace gateway::jobs
