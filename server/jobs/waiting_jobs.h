// WaitingJobs looks after jobs in state WAITING: each was submitted while the job that it is made
// of had not ended, and is sent once that one has.
//
// A waiting job is a record like any other, so nothing of it is lost with the process. This class
// knows which job waits for which, and has a waiting job tried when the other one has ended, when
// it is gone, and again after what kept it from being sent may have passed. The submitter decides
// what comes of a try: the job is sent, goes on waiting, or has failed. Who changes WAITING in the
// store first has decided: a job that is cancelled meanwhile is not sent.
//
// With a store that several processes share, a job that waits is of the shard of the job that it
// waits for, so one process looks after both.
//
// It is also the one who knows how many jobs wait, within limits, and what is reserved for them.
//
// Thread-safe; work runs on the threads of store and timers, and never blocks. What is passed to
// the constructor must outlive it and, after Stop(), the calls in flight.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/ledger.h"
#include "jobs/shards.h"
#include "jobs/spending.h"
#include "jobs/store.h"

namespace gateway::jobs {

class WaitingJobs {
 public:
  // Sends a job that waits, as its record is now. `done` gets OK once it does not wait any more, or
  // why it still does.
  using Sent = std::function<void(absl::Status)>;
  using Send = std::function<void(JobRecord record, double credits_held, Sent done)>;

  WaitingJobs(const Shards& shards, Spending& spending, Ledger& ledger, Submissions& submissions,
              Hub& hub, const Clock& clock, Timers& timers);
  ~WaitingJobs();
  WaitingJobs(const WaitingJobs&) = delete;
  WaitingJobs& operator=(const WaitingJobs&) = delete;

  // Called once, before the first job.
  void SendWith(Send send) { send_ = std::move(send); }

  // Takes a place for a job whose request has so many bytes, and reserves what it may cost; or says
  // why there is none. OnChange takes the place over, once the job is stored; else it is given
  // back, and so it is if another process looks after the job.
  absl::Status TakePlace(const JobKey& request, std::size_t bytes, double credits);
  void GiveBack(const JobKey& request, std::size_t bytes, double credits);

  // Called by the ledger when this process has changed a job; and another, unless the job waits.
  void OnChange(const JobRecord& record, const SnapshotPtr& seen);
  // Takes up a job that a restart has found, that came with a shard, or that another process has
  // stored, if it waits and is not known yet. Nothing is tried before Start.
  void FollowRecovered(const JobRecord& record);
  // Looks no more after jobs whose shard has gone.
  void DropLost();
  // Looks again for the jobs that are waited for and are not in memory any more.
  void LookAgain();
  void Start();
  // Nothing is tried after this, except by a thread that is just beginning.
  void Stop();

  // The request_id of the tenant's waiting job with this fingerprint, if there is one.
  std::optional<std::string> FindEqual(const std::string& tenant,
                                       const std::string& fingerprint) const;

  std::size_t waiting() const;
  std::size_t waiting_of(const std::string& tenant) const;
  std::size_t waiting_at(const std::string& account) const;

 private:
  enum class Stage {
    kWaits,   // for the other job, or for its timer
    kInLine,  // to be tried
    kTried,   // just now
  };
  struct Entry {
    std::int32_t shard = 0;
    std::string account;
    std::string request_id;
    std::string fingerprint;
    std::string waits_for;  // as the request names it
    std::size_t bytes = 0;
    double credits = 0;
    Stage stage = Stage::kWaits;
    std::optional<JobKey> other;  // once the other job was found
    int failures = 0;             // in a row
    std::string told;             // the reason that its message tells
    Timers::Id timer = Timers::kNone;
  };

  // What jobs that wait have of what all of them share: one tenant's, or all tenants'.
  struct Counts {
    std::size_t waiting = 0;
    std::size_t places = 0;  // that are taken, also for jobs that are not stored yet
    std::size_t bytes = 0;   // of the requests in them
    std::size_t tried = 0;   // at this moment

    Counts& operator+=(const Counts& more);
    Counts& operator-=(const Counts& less);
    bool operator==(const Counts&) const = default;
  };

  // `placed`: a place is taken for it already. Returns whether it was not known.
  bool Add(const JobRecord& record, bool placed);
  void Drop(const JobKey& key, bool sent);
  void WaitForNobody(const JobKey& key, Entry& entry) REQUIRES(mutex_);
  void Count(const std::string& tenant, const Counts& more) REQUIRES(mutex_);
  void Uncount(const std::string& tenant, const Counts& less) REQUIRES(mutex_);
  Counts CountsOf(const std::string& tenant) const REQUIRES(mutex_);
  // Finds out whether the other job has ended, or is gone, and has the waiting one tried then.
  void Look(const JobKey& key);
  void OnFound(const JobKey& key, const absl::StatusOr<SnapshotPtr>& other);
  void PutInLine(const JobKey& key) EXCLUDES(mutex_);
  void TryNext();
  void Try(const JobKey& key, const std::string& request_id, double credits);
  void OnTried(const JobKey& key, const absl::Status& why);
  void TellWhy(const JobKey& key, const std::string& request_id, const std::string& reason);

  const Shards& shards_;
  Spending& spending_;
  Ledger& ledger_;
  Submissions& submissions_;
  Hub& hub_;
  const Clock& clock_;
  Timers& timers_;
  Send send_;

  mutable Mutex mutex_;
  std::unordered_map<JobKey, Entry> entries_ GUARDED_BY(mutex_);
  std::unordered_map<JobKey, std::set<JobKey>> waiting_for_ GUARDED_BY(mutex_);
  std::map<JobKey, std::set<JobKey>> equal_ GUARDED_BY(mutex_);  // by fingerprint
  std::map<std::string, Counts> tenants_ GUARDED_BY(mutex_);     // those that have any
  Counts all_ GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> of_account_ GUARDED_BY(mutex_);
  std::deque<JobKey> line_ GUARDED_BY(mutex_);
  std::set<JobKey> placed_ GUARDED_BY(mutex_);  // requests with a place, and no job yet
  bool stopped_ GUARDED_BY(mutex_) = true;

  friend class WaitingJobsPeer;  // of the tests
};

}  // namespace gateway::jobs
