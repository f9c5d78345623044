// Account is what the gateway knows of one Pictory account: its request budget, whether Pictory
// answers, and whether it accepts the credentials. Only Upstream (jobs/upstream.h) writes to it;
// the classes that call Pictory ask Upstream.
//
// Thread-safe; no call blocks.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/budget.h"
#include "jobs/looks.h"
#include "jobs/repeat_budget.h"

namespace gateway::jobs {

class Account {
 public:
  Account(BudgetOptions options, const Clock& clock)
      : clock_(clock),
        requests_per_second_(options.requests_per_second),
        budget_(options, clock.Now()) {}

  bool TryTake(Budget::Share share) {
    if (resting()) return false;
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
  // Counts a read that is sent for the first time, and whether a call may be sent again.
  void CountRead() {
    MutexLock lock(mutex_);
    repeats_.CountRead(clock_.Now());
  }
  bool TryRepeat() {
    MutexLock lock(mutex_);
    return repeats_.TryRepeat(clock_.Now());
  }
  MonoTime NextAt(Budget::Share share) {
    const MonoTime now = clock_.Now();
    MutexLock lock(mutex_);
    return std::max(budget_.NextAt(share, now), resting() ? now + limits::kRestCheckInterval : now);
  }
  // Why nothing can be sent now, for a caller whose request cannot wait until NextAt.
  absl::Status Refusal(Budget::Share share, errors::Call call) {
    if (resting()) {
      MutexLock lock(mutex_);
      if (Refuses(rests_)) return rests_;
      return errors::UpstreamUnreachable("it has stopped answering, and is asked every few seconds",
                                         limits::kOutageProbeInterval, call);
    }
    const MonoTime now = clock_.Now();
    const Duration wait = NextAt(share) - now;
    MutexLock lock(mutex_);
    if (now < budget_.blocked_until()) return errors::UpstreamRateLimited(wait, call);
    return errors::BudgetExhausted(wait, call);
  }
  void OnRateLimited(Duration retry_after) {
    MutexLock lock(mutex_);
    budget_.OnRateLimited(retry_after, clock_.Now());
  }
  // See Budget.
  void ShareWith(int processes) {
    MutexLock lock(mutex_);
    budget_.ShareWith(processes, clock_.Now());
    processes_ = std::max(1, processes);
  }
  // See Looks.
  Duration TakeLooks(const std::string& tenant, int many) {
    const MonoTime now = clock_.Now();
    MutexLock lock(mutex_);
    return looks_.Take(requests_per_second() * limits::kLooksShare, tenant, now, many);
  }

  // How many requests may be sent at once, and how many a second, which a 429 makes fewer.
  struct Pace {
    double submits_left = 0;
    double polls_left = 0;
    double per_second = 0;
  };
  Pace pace() {
    const MonoTime now = clock_.Now();
    const bool asked = !resting();
    MutexLock lock(mutex_);
    return {.submits_left = asked ? budget_.Left(Budget::Share::kSubmit, now) : 0,
            .polls_left = asked ? budget_.Left(Budget::Share::kPoll, now) : 0,
            .per_second = budget_.rate()};
  }
  // Notes that Pictory answered a request, whatever it said, or that it did not: there was no
  // connection, a timeout or a 5xx.
  void NoteAnswer(bool answered) {
    if (answered) {
      unanswered_ = 0;
    } else if (++unanswered_ >= limits::kOutageSuspectedAfter) {
      NoteSuspect();
    }
  }
  // Notes the same of a call that neither polls nor pays, by the status that its caller gets, and
  // whatever else that status says of the account. Errors of the gateway's own say nothing of the
  // account; PictoryClient itself tells of refused credentials.
  void NoteFreeCall(const absl::Status& answer) {
    const std::string reason = errors::Reason(answer);
    if (!answer.ok() && !reason.starts_with("UPSTREAM_")) return;
    const bool silent = absl::IsUnavailable(answer) || reason == errors::kUpstreamUnknown;
    NoteAnswer(!silent);
    if (reason == errors::kUpstreamRateLimited) return OnRateLimited(errors::RetryDelay(answer));
    if (!silent && reason != errors::kUpstreamCredentials) NoteSpoken();
  }
  // Says that something is wrong with the account rather than with one job: many requests in a row
  // got no answer, or Pictory refused the credentials of a call.
  void NoteSuspect() {
    if (suspected_) suspected_();
  }
  // Sets what NoteSuspect calls, on the threads that report it. Called once, before any report.
  void SetSuspected(std::function<void()> suspected) { suspected_ = std::move(suspected); }
  // Lets the account rest, or ends the rest if `why` is OK. While it rests nothing is sent; `why`
  // says that Pictory cannot be reached, or that it refuses the credentials. Returns whether this
  // changed anything.
  bool SetResting(absl::Status why) {
    if (why.ok()) unanswered_ = 0;
    MutexLock lock(mutex_);
    const bool changes = rests_.ok() != why.ok() || Refuses(rests_) != Refuses(why);
    resting_ = !why.ok();
    credentials_refused_ = Refuses(why);
    rests_ = std::move(why);
    return changes;
  }
  bool resting() const { return resting_.load(std::memory_order_relaxed); }
  // Whether it rests because Pictory refuses the credentials.
  bool credentials_refused() const { return credentials_refused_.load(std::memory_order_relaxed); }

  // Whether polls get no answers at present, so that what watchers see may lag. That begins after
  // limits::kDegradedAfter polls in a row that said nothing of their job. It ends when Pictory says
  // anything of what it was asked, by whatever call, or when no job is followed that could lag.
  bool degraded() const { return degraded_.load(std::memory_order_relaxed) || resting(); }
  void NoteSilentPoll() {
    if (++silent_polls_ >= limits::kDegradedAfter) SetDegraded(true);
  }
  void NoteSpoken() {
    ++spoken_;
    silent_polls_ = 0;
    SetDegraded(false);
  }
  void NoteNothingFollowed() {
    silent_polls_ = 0;
    SetDegraded(false);
  }
  // How often Pictory has said something of what it was asked, for which it must have accepted the
  // credentials.
  std::uint64_t spoken() const { return spoken_; }
  // Sets what is called when degraded() changes, on the threads that report it. Called once, before
  // any report.
  void SetDegradedChanged(std::function<void(bool)> changed) {
    degraded_changed_ = std::move(changed);
  }

  // That this process may ask at most.
  double requests_per_second() const { return requests_per_second_ / processes_.load(); }
  // How long a submit or a change may wait for its turn. Each of several processes has turns so
  // much more seldom.
  Duration patience() const { return limits::kSubmitBudgetMaxWait * processes_.load(); }

 private:
  static bool Refuses(const absl::Status& why) {
    const std::string reason = errors::Reason(why);
    return reason == errors::kUpstreamCredentials || reason == errors::kPictoryKeyNeeded;
  }
  void SetDegraded(bool degraded) {
    if (degraded_.exchange(degraded) != degraded && degraded_changed_) degraded_changed_(degraded);
  }

  const Clock& clock_;
  const double requests_per_second_;
  std::atomic<int> processes_{1};  // that have a part of them each
  Mutex mutex_;
  Budget budget_ GUARDED_BY(mutex_);
  RepeatBudget repeats_ GUARDED_BY(mutex_);
  Looks looks_ GUARDED_BY(mutex_);
  absl::Status rests_ GUARDED_BY(mutex_);  // why
  std::atomic<bool> degraded_{false};
  std::atomic<bool> resting_{false};
  std::atomic<bool> credentials_refused_{false};
  std::atomic<int> unanswered_{0};    // in a row
  std::atomic<int> silent_polls_{0};  // in a row
  std::atomic<std::uint64_t> spoken_{0};
  std::function<void()> suspected_;
  std::function<void(bool)> degraded_changed_;
};

}  // namespace gateway::jobs
