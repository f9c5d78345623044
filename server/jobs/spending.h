// Spending decides how many submits are allowed in a minute and in a day, of all tenants together
// and of each, and how many of Pictory's AI credits a tenant may use in a day.
//
// It counts the submits that may have cost money, unconfirmed ones included, in sliding windows.
// The credits of a submit are reserved as far as the request shows them, and count as what Pictory
// says once the job has ended; they are kept to the minute. All is counted whether or not
// there is a limit, so that one that is set or raised later holds for what was spent before.
// Nothing of this is stored by itself: after a restart it is read from the submissions (Recover),
// so that it cannot disagree with them.
//
// A submit that waits for another job may be sent at any time, so it has its place reserved in the
// limits of the day until it is sent or ends. The limits of a minute count when it is sent.
//
// A store that several processes share counts by itself (jobs/shared_spending.h). Then this only
// heeds the switch, says which limits there are, and tells what the store has told last.
//
// Thread-safe; no call blocks.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/store.h"
#include "tenants/tenants.h"

namespace gateway::jobs {

// A limit of 0 allows any number; none is above limits::kSpendingLimitMax.
struct SpendingLimits {
  int per_minute = 0;
  int per_day = 0;
  int tenant_per_minute = 0;
  int tenant_per_day = 0;
};

// The AI credits that count for a job in this state: what Pictory says that it used, else what was
// reserved for it. A job that succeeded without a word of credits has used none; of one that ended
// otherwise nothing is known. StillReserved is the part of it that Pictory has not told of.
constexpr double StillReserved(JobState state, const std::optional<double>& used, double reserved) {
  return used.has_value() || state == v1::JOB_STATE_SUCCEEDED ? 0 : reserved;
}
constexpr double CreditsOf(JobState state, const std::optional<double>& used, double reserved) {
  return used.value_or(StillReserved(state, used, reserved));
}

// The same of a record. Of a job that was not sent nothing counts, unless it may still be.
double CreditsOf(const JobRecord& record);

// A submit that was sent, as Recover takes it. What Pictory has said of its credits counts once the
// job has ended (OnEnded), and so it does after a restart.
Spent SpentOf(const JobRecord& record);

// What a render may cost, by what is known of the preview that it is made of.
double CreditsToRender(const JobRecord& preview);

class Spending {
 public:
  // Looks up a tenant's own limits; a 0 among them leaves the one that all tenants have.
  using LimitsOf = std::function<tenants::TenantLimits(const std::string& tenant)>;
  // Who counts.
  enum class By { kThis, kStore };

  // `limits_of` may be null: no tenant has limits of its own. It is called under a lock, and must
  // not call this. `clock` must outlive this.
  Spending(SpendingLimits limits, const Clock& clock, LimitsOf limits_of = nullptr,
           By by = By::kThis)
      : limits_(limits), limits_of_(std::move(limits_of)), clock_(clock), by_(by) {}

  // Takes what was sent before this process, from Store::Recover. `started` is the time now by
  // StartTime; from then on the wall clock is not asked. Called once, before the first TryTake.
  void Recover(std::vector<Spent> spent, WallTime started);

  // Counts one submit and the credits that it may use, and returns the time at which it counted
  // them; or counts nothing, and says why the submit must not be sent: RESOURCE_EXHAUSTED.
  absl::StatusOr<MonoTime> TryTake(const std::string& tenant, double credits = 0);
  // Takes back the submit that was counted at `taken`: it was certainly not paid for. Once for
  // each.
  void Refund(const std::string& tenant, MonoTime taken, double credits = 0);

  // Reserves a place for one submit that waits, and the credits that it may use; or says why not,
  // as TryTake does. With `known` it is done whatever the limits are: it was reserved before a
  // restart.
  absl::Status Reserve(const std::string& tenant, double credits, bool known = false);
  // Gives up what was reserved: the submit will not be sent. Once for each Reserve.
  void Release(const std::string& tenant, double credits);
  // Counts a submit that has a place reserved, which it gives up, as TryTake does; if it must not
  // be sent now, it keeps its place. `credits` is what it may use as far as is known now.
  absl::StatusOr<MonoTime> TakeReserved(const std::string& tenant, double reserved, double credits);
  // Takes back a submit that TakeReserved has counted: it waits again, with its place.
  void WaitAgain(const std::string& tenant, MonoTime taken, double reserved, double credits);

  // Takes what the store has counted, which replaces what it told before.
  void TakeTotals(const std::vector<SpentTotal>& totals);

  // OK if a tenant that has `active` jobs which have not ended may have one more.
  absl::Status CheckActive(const std::string& tenant, std::size_t active) const;
  // Whether a tenant's active jobs are limited.
  bool LimitsActive(const std::string& tenant) const;

  // Counts a submit that is given the job of an earlier one. It has cost nothing and is in no
  // limit, and after a restart nothing is known of it.
  void NoteRepeated(const std::string& tenant);

  // Called by the ledger once a job has ended: the credits that it used count instead of those that
  // were reserved.
  void OnEnded(const JobRecord& record);

  // The kill switch: while stopped, nothing is allowed. There is one here, and one for all
  // processes that share the store.
  void SetStopped(bool stopped) { stopped_ = stopped; }
  void SetStoppedForAll(bool stopped) { stopped_for_all_ = stopped; }
  bool stopped_here() const { return stopped_; }
  bool stopped() const { return stopped_ || stopped_for_all_; }
  // What was spent in the last 24 hours, to the minute, and what is reserved for those that wait.
  struct Spent24h {
    std::size_t submits = 0;
    double credits = 0;
    double reserved = 0;  // of the credits, those that Pictory has not told of
    std::size_t repeated = 0;
  };
  // The same as a store has counted it; of `counted` the rest stays.
  static Spent24h Told(Spent24h counted, const SpentTotal& total);
  Spent24h spent_today() const;  // of all tenants
  Spent24h spent_today(const std::string& tenant) const;
  std::map<std::string, Spent24h> spent_by_tenant() const;
  // The tenant's limits as they are now, those for all tenants included.
  tenants::TenantLimits LimitsFor(const std::string& tenant) const;
  // The same, for a store that counts.
  SubmitLimits LimitsOfSubmit(const std::string& tenant) const;

 private:
  // What was spent in one minute. Of credits a later count may have taken back more than it added.
  struct Minute {
    MonoTime begin;
    int submits = 0;
    double credits = 0;
    double reserved = 0;  // of the credits
    int repeated = 0;     // for nothing
  };
  using Minutes = std::deque<Minute>;  // of the last day, in order
  // The times of the last submits within a window, in order, never more than its limit.
  struct Window {
    Duration length;
    int limit;
    std::deque<MonoTime> times{};
    // Of submits up to then only the end of their minute is known.
    MonoTime known_by_minute_until = MonoTime::min();

    // Sets another limit. What a higher one has to know beyond `times` is taken from the minutes:
    // each submit counts as of the end of its minute, so none is forgotten too early.
    void SetLimit(int other, const Minutes& minutes, MonoTime now);
    // When one more fits beside so many that are reserved; not after `now` if it does.
    MonoTime FreeAt(MonoTime now, int reserved);
    void Add(MonoTime when);
    void Remove(MonoTime when);  // one of then, if it still counts
  };
  struct Pair {
    Window minute;
    Window day;
  };
  // What is added to a minute.
  struct More {
    int submits = 0;
    double credits = 0;
    double reserved = 0;
    int repeated = 0;
  };
  // What is reserved for submits that wait. It may be below zero for a moment, because who ends a
  // wait and who counts it again do not wait for each other.
  struct Reserved {
    int submits = 0;
    double credits = 0;
  };
  struct OfOne {
    Pair submits;
    Minutes minutes{};
    Reserved reserved{};
  };

  Pair Make(int per_minute, int per_day) const;
  absl::Status Check(const std::string& tenant, double credits, bool minute, MonoTime now)
      REQUIRES(mutex_);
  void AddReserved(const std::string& tenant, int submits, double credits) REQUIRES(mutex_);
  void RefundLocked(const std::string& tenant, MonoTime taken, double credits) REQUIRES(mutex_);
  static Spent24h With(Spent24h spent, const Reserved& reserved);
  // With what the store has told of this tenant, if it counts; "" has all tenants.
  Spent24h AsTold(Spent24h counted, const std::string& tenant) const REQUIRES(mutex_);
  // With the tenant's limits as they are now.
  OfOne& OfTenant(const std::string& tenant) REQUIRES(mutex_);
  void Count(const std::string& tenant, MonoTime when, const More& one) REQUIRES(mutex_);
  void CountByMinute(OfOne& own, MonoTime when, const More& more) REQUIRES(mutex_);
  static void Add(Minutes& minutes, MonoTime when, const More& more);
  static Spent24h Sum(const Minutes& minutes, MonoTime from);
  // Why so many credits more must not be used; OK if they may.
  absl::Status CheckCredits(const std::string& tenant, OfOne& own, double credits, MonoTime now)
      REQUIRES(mutex_);

  const SpendingLimits limits_;
  const LimitsOf limits_of_;
  const Clock& clock_;
  const By by_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> stopped_for_all_{false};
  mutable Mutex mutex_;
  Pair all_ GUARDED_BY(mutex_) = Make(limits_.per_minute, limits_.per_day);
  std::unordered_map<std::string, OfOne> tenants_ GUARDED_BY(mutex_);
  // Counted whatever the limits are: by the minute, because without limits there may be very many
  // submits.
  Minutes today_ GUARDED_BY(mutex_);
  Reserved reserved_ GUARDED_BY(mutex_);                       // of all tenants
  std::map<std::string, SpentTotal> told_ GUARDED_BY(mutex_);  // by a store that counts
};

}  // namespace gateway::jobs
