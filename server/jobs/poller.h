// Poller asks Pictory about every unfinished job: once per job whoever watches it, within the
// budget of the job's account, and fairly between tenants.
//
// Each job goes round: due → poll → advance → stored → published → due again. A job is never polled
// while its last answer is still being stored, so answers are applied in order. The decisions
// themselves are pure: jobs/schedule.h says when, jobs/advance.h says what.
//
// The poller keeps in memory only what it needs to know when to ask about which job; it reads a
// job's record from the store when a reply brings news of it.
//
// A poll reads a small reply only. A job whose reply is larger is asked about again, for all of the
// reply, when its turn comes; few such polls are under way at once, so that memory is bounded. Nor
// does a poll wait long. A job whose reply took longer is given twice the time at its next poll;
// some places are kept for such polls, and when none is free the job is polled like any other.
//
// Every answer about a job also shows that the jobs of its account can be asked about; the poller
// keeps that count (jobs/asked.h).
//
// Under pressure (base/shedding.h) a job that nobody watches is polled only while no other poll is
// under way, or when a hint has asked for it; else its poll is put off. So jobs go on to end, which
// frees what they hold, however long the pressure lasts.
//
// Only jobs of the shards that this process has are followed (jobs/shards.h), and a job is polled
// while its shard's lease has not run out.
//
// Each account has a lane of its own, so that one that is silent or has very many jobs holds up no
// other. The lanes share the places for polls under way. No lane but the only one may have more of
// them than are left free.
//
// Thread-safe. Its work runs on the threads of the timers, the transport, the client's reader and
// the store. Everything passed to the constructor must outlive the poller and, after Stop(), the
// calls still in flight.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "base/random.h"
#include "base/shedding.h"
#include "jobs/advance.h"
#include "jobs/asked.h"
#include "jobs/job.h"
#include "jobs/job_key.h"
#include "jobs/ledger.h"
#include "jobs/schedule.h"
#include "jobs/shards.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"

namespace gateway::jobs {

struct PollerOptions {
  PollCurve curve;
  int in_flight_max = limits::kPollsInFlightMax;
  // How many of these polls may have a large reply; each counts from the poll until its result is
  // stored.
  int large_in_flight_max = limits::kLargePollsInFlightMax;
  // How long a small reply is waited for, at first and at most.
  Duration timeout = limits::kPollTimeout;
  Duration timeout_max = limits::kSlowPollTimeoutMax;
  Shedding* shedding = nullptr;  // null: polls are never put off
};

// What happened, for logs and metrics. Called under no lock.
struct PollEvents {
  std::function<void(const Snapshot&, const pictory::JobReply&)> replied;
  std::function<void(const JobRecord&, const pictory::JobReply&)> contradicted;
  // Called when a change of the record is about to be stored; what is noted in the record is stored
  // with it.
  std::function<void(JobRecord&)> storing;
  // Pictory has done the work, and the setting does not let its result be read. Told once of a job,
  // after it was stored.
  std::function<void(const JobRecord&)> too_large;
};

class Poller {
 public:
  Poller(PollerOptions options, const Shards& shards, Upstreams& upstreams, Ledger& ledger,
         Jobs& jobs, const Clock& clock, Timers& timers, Random& random, PollEvents events);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Takes what the process before knew, and how many jobs FollowRecovered brings. Called before
  // anything is followed.
  void Recover(const AskedOfAccounts& asked, const std::vector<Unfinished>& unfinished);

  // Called by the ledger when a job has changed. A job with a Pictory id is followed from now on,
  // its first poll after the curve's first interval; a job that has ended is followed no longer.
  void OnChange(const JobRecord& record, const SnapshotPtr& seen);
  // Follows one of the jobs that a restart has found, or that came with a shard; their first polls
  // are spread.
  void FollowRecovered(const JobRecord& record, SnapshotPtr snapshot);
  // A watched job is polled faster, from its next interval on; the first watcher pulls the next
  // poll forward.
  void SetWatched(const std::string& tenant, const std::string& job_id, bool watched);

  // Somebody says that the job has news. It is polled soon, but hints never make two polls of it
  // within limits::kHintInterval. What they say is not believed.
  void Hint(const std::string& tenant, const std::string& job_id);

  // Follows no job any more whose shard has gone.
  void DropLost();

  // No poll starts after this, except those that a thread is just starting; their answers are
  // dropped. News already on its way through the store is still published.
  void Stop();

  std::size_t followed() const;
  std::size_t followed_of(const std::string& tenant) const;
  std::size_t followed_at(const std::string& account) const;
  // Whether an account has so many jobs here that this process's part of its budget, and not the
  // curve, says how often they are polled.
  bool BudgetDecides(const std::string& account) const;
  std::size_t in_flight() const;
  // Jobs whose result is too large for the setting, and waits for a higher one.
  std::size_t too_large() const;
  // For how long the poller has stood still: a poll has been under way for so long, or one has been
  // due and none of its account was begun. Accounts that cannot be asked do not count, nor does
  // who waits because polls are many.
  Duration overdue() const;
  // Jobs of accounts that are not open, which nobody is asked about: until a caller shows the key
  // again, or until the operator puts the account back into the settings.
  struct Unasked {
    std::size_t key_not_shown = 0;
    std::size_t account_gone = 0;
  };
  Unasked unasked() const;

 private:
  // The jobs of one account.
  struct Lane {
    std::string account;
    std::size_t jobs = 0;
    std::map<std::string, std::size_t> jobs_of{};  // by tenant
    // Jobs that are due now and wait for budget: one queue a tenant, served in turn.
    std::map<std::string, std::deque<SnapshotPtr>> ready{};
    std::string last_tenant{};
    std::deque<SnapshotPtr> large_waiting{};  // due too, waiting for a place of the large ones
    std::size_t in_flight = 0;
    MonoTime begun{};  // its last poll
    Asked asked{};
    Asked noted{};  // what the store has of it
    // How many jobs a restart brings that can be polled, in all and of each tenant.
    std::size_t recovered = 0;
    std::map<std::string, std::size_t> recovered_of{};
  };
  // What the poller keeps of one job. There is one for each unfinished job, so its counts are
  // small: each stops at the most that it can hold, where no curve grows any more.
  struct Entry {
    SnapshotPtr job;  // its newest, shared with the hub: who it is
    Lane* lane = nullptr;
    WallTime accepted_at{};
    MonoTime due{};     // of a busy one: when its round began
    MonoTime hinted{};  // the latest poll that a hint asked for
    std::uint64_t digest = 0;
    std::uint32_t turn = 0;          // among those due at the same time
    std::uint16_t polls = 0;         // made so far
    std::uint8_t errors : 5 = 0;     // in a row that said nothing readable of the job
    std::uint8_t patience : 3 = 0;   // how often the time its reply is waited for was doubled
    bool hint_waits : 1 = false;     // a hint came while busy
    bool watcher_waits : 1 = false;  // the first watcher did
    bool watched : 1 = false;
    bool busy : 1 = false;       // polled or being stored
    bool large : 1 = false;      // its reply is: not for a small poll
    bool unsure : 1 = false;     // the last reply has to be confirmed by another
    bool too_large : 1 = false;  // JobRecord::notice says so
  };
  struct JobOf {
    JobKeyView operator()(const Entry& entry) const { return entry.job->key(); }
  };
  struct Sooner {
    bool operator()(const Entry* a, const Entry* b) const {
      return a->due != b->due ? a->due < b->due : a->turn < b->turn;
    }
  };
  // How a job is asked about.
  struct Ask {
    Lane* lane = nullptr;
    pictory::ReplySize size = pictory::ReplySize::kSmall;
    Duration timeout{0};
  };
  struct Started {
    SnapshotPtr job;
    std::uint64_t digest;
    Ask ask;
    Upstream::Turn turn;
  };
  // A reply that brings news, on its way through the store.
  struct News {
    SnapshotPtr job;
    Ask ask;
    pictory::JobReply reply;
    Advanced advanced;
    Duration delay{0};
    bool too_large = false;  // now, and not before
  };
  using NewsPtr = std::shared_ptr<News>;

  // Returns null if the job is followed already.
  Entry* Add(const JobRecord& record, SnapshotPtr snapshot) REQUIRES(mutex_);
  Entry* FindEntry(const JobKeyView& key) const REQUIRES(mutex_);
  void Remove(const JobKeyView& key) REQUIRES(mutex_);
  void Note(Entry& entry, const JobRecord& record) REQUIRES(mutex_);
  // Whether a watcher cannot have the job polled sooner: Pictory does not answer about it, or has
  // too much to say.
  static bool Stubborn(const Entry& entry) { return entry.errors > 0 || entry.too_large; }
  void Place(Entry& entry, MonoTime due) REQUIRES(mutex_);
  Lane& LaneOf(const std::string& account) REQUIRES(mutex_);
  void CollectDue(MonoTime now) REQUIRES(mutex_);
  static SnapshotPtr NextReady(Lane& lane);
  // When the first of those that are due and wait has fallen due; `none` without any.
  MonoTime ReadySince(const Lane& lane, MonoTime none) const REQUIRES(mutex_);
  // Lets a job with a large reply that waits for a place come next, if there is one.
  void NextLarge(Lane& lane) REQUIRES(mutex_);
  void Arm(MonoTime when) REQUIRES(mutex_);
  // Starts whatever may start, and arms the timer for the rest.
  void Pump() EXCLUDES(mutex_);
  std::size_t Places() const REQUIRES(mutex_) {
    const auto places = static_cast<std::size_t>(options_.in_flight_max);
    return places > in_flight_ ? places - in_flight_ : 0;
  }
  bool HasPlace(const Lane& lane) const REQUIRES(mutex_) {
    return Places() > 0 && (lane.jobs == entries_.size() || lane.in_flight < Places());
  }
  // The next job that may be polled now, its turn taken; nullopt if none may. Lanes take turns.
  std::optional<Started> StartNext(MonoTime now) REQUIRES(mutex_);
  std::optional<Started> StartNextOf(Lane& lane, MonoTime now) REQUIRES(mutex_);
  // Whether a job that is due is put off, because there is pressure, or its shard's lease has run
  // out.
  bool PutOff(Entry& entry, MonoTime now) REQUIRES(mutex_);
  // Ends a round, whatever came of it: its place is free for another job.
  void Leave(const Ask& ask) REQUIRES(mutex_);
  Duration TimeoutOf(const Entry& entry) const;
  bool IsSlow(const Ask& ask) const {
    return ask.size == pictory::ReplySize::kSmall && ask.timeout > options_.timeout;
  }
  bool HasSlowPlace() const REQUIRES(mutex_) {
    return slow_in_flight_ < std::max(1, options_.in_flight_max / limits::kSlowPollsShare);
  }
  void OnReply(const SnapshotPtr& job, const Ask& ask, pictory::JobReply reply) EXCLUDES(mutex_);
  // Notes the reply. Returns whether it needs more than a time at which to ask again.
  bool TakeReply(const SnapshotPtr& job, const Ask& ask, const pictory::JobReply& reply)
      EXCLUDES(mutex_);
  void NoteReply(Entry& entry, const Ask& ask, const pictory::JobReply& reply) REQUIRES(mutex_);
  // Notes that Pictory has spoken of a job of this lane.
  void NoteAsked(Lane& lane) EXCLUDES(mutex_);
  void NoteFollowed(const Lane& lane) EXCLUDES(mutex_);
  void OnRecord(const NewsPtr& news, JobRecord record) EXCLUDES(mutex_);
  void OnStored(const NewsPtr& news, Ledger::Outcome outcome) EXCLUDES(mutex_);
  // Ends a round without an effect: the store failed, or the job is gone.
  void Abandon(const NewsPtr& news, bool gone, const absl::Status& why = absl::OkStatus())
      EXCLUDES(mutex_);
  Duration DelayAfter(const Entry& entry, const JobRecord& record, const pictory::JobReply& reply,
                      WallTime wall) REQUIRES(mutex_);
  Duration FairInterval(const Lane& lane, const std::string& tenant) REQUIRES(mutex_);
  // How long so many requests of an account take at its rate.
  Duration TimeOf(std::size_t requests, const std::string& account) const;
  // Ends a job's round: the job is due again after `delay`.
  void Reschedule(Entry& entry, Duration delay) REQUIRES(mutex_);
  void RescheduleAs(const NewsPtr& news, SnapshotPtr newest) REQUIRES(mutex_);

  const PollerOptions options_;
  const Shards& shards_;
  Upstreams& upstreams_;
  Ledger& ledger_;
  Jobs& jobs_;
  const Clock& clock_;
  Random& random_;
  const PollEvents events_;

  mutable Mutex mutex_;
  absl::flat_hash_set<std::unique_ptr<Entry>, ByName<JobOf>, ByName<JobOf>> entries_
      GUARDED_BY(mutex_);
  std::map<std::string, Lane> lanes_ GUARDED_BY(mutex_);        // by account; they stay
  absl::btree_set<Entry*, Sooner> waiting_ GUARDED_BY(mutex_);  // until they are due
  absl::btree_set<Entry*, Sooner> busy_ GUARDED_BY(mutex_);
  std::size_t too_large_ GUARDED_BY(mutex_) = 0;
  // Jobs that are watched and not followed: they are unconfirmed, about to be followed, or ended.
  std::unordered_set<JobKey> watched_only_ GUARDED_BY(mutex_);
  std::string last_lane_ GUARDED_BY(mutex_);
  std::uint32_t turns_ GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ GUARDED_BY(mutex_) = 0;
  int large_in_flight_ GUARDED_BY(mutex_) = 0;
  int slow_in_flight_ GUARDED_BY(mutex_) = 0;
  MonoTime next_pump_at_ GUARDED_BY(mutex_) = MonoTime::max();  // max: not planned
  bool stopped_ GUARDED_BY(mutex_) = false;
  NextCall next_pump_;
};

}  // namespace gateway::jobs
