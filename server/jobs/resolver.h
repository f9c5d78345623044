// Resolver resolves jobs in the state UNCONFIRMED: jobs that were submitted and to which no
// complete answer came.
//
// Four things resolve a job: a webhook call with the submission's correlation token, an id in what
// came of Pictory's answer to the submit, a person who names Pictory's job (adopt), or a person who
// gives up (abandon). Whatever is claimed, the job is adopted only after Pictory itself, asked with
// our credentials, has told of the job named. Nothing is ever adopted by likeness, and nothing here
// sends a paid request. A job that is UNCONFIRMED for limits::kUnconfirmedStaleAfter becomes
// `stale`.
//
// All webhook calls about jobs arrive here, those about accepted jobs too: each is a hint, worth
// one poll.
//
// Thread-safe; work runs on the threads of store, transport and timers, and never blocks. What is
// passed to the constructor must outlive the resolver and, after Stop(), the calls in flight.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/ledger.h"
#include "jobs/poller.h"
#include "jobs/shards.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

// What happened, for logs and metrics. Called under no lock; may be empty.
struct ResolveEvents {
  // A webhook call came; `known` says whether its token is known here, `unconfirmed` whether its
  // job is UNCONFIRMED.
  std::function<void(bool known, bool unconfirmed)> webhook_called;
  // A job left UNCONFIRMED: by `hint`, `adopt` or `abandon`.
  std::function<void(const JobRecord&, std::string_view by)> resolved;
  // The Pictory job that a hint names belongs to another job here. Never expected.
  std::function<void(const JobRecord&, const std::string& pictory_job_id)> foreign;
};

class Resolver {
 public:
  Resolver(const Shards& shards, Upstreams& upstreams, Ledger& ledger, Submissions& submissions,
           Sharing& sharing, Jobs& jobs, Hub& hub, Poller& poller, const Clock& clock,
           Timers& timers, ResolveEvents events);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Called by the ledger when a job has changed, and for each job found at a start. While a job of
  // this process's shards is UNCONFIRMED this class looks after it.
  void OnChange(const JobRecord& record);

  // Takes the Pictory id in what came of the answer to a submit that is UNCONFIRMED or may become
  // so. The store keeps the id already, or could not.
  void OnHint(const JobKey& key, std::string pictory_job_id) {
    KeepEarly(key, std::move(pictory_job_id));
  }

  // Takes the hints about unconfirmed jobs that came before the restart. Called before the first
  // change.
  void Recall(std::vector<Hint> hints);

  // Pictory, or somebody else who knows the token, says that a job has news. `pictory_job_ids` are
  // the ids in the call's body; they may be none, or unusable ones. `done` gets OK once nothing of
  // the call can be lost: ids of a job that is unconfirmed, or may become so, are durable.
  using WebhookCallDone = std::function<void(absl::Status)>;
  void OnWebhookCall(const std::string& token, std::vector<std::string> pictory_job_ids,
                     WebhookCallDone done);

  // Does what ResolveJob says: lists candidates, adopts, or abandons. Repeating a decision
  // succeeds.
  using ResolveDone = std::function<void(absl::StatusOr<v1::ResolveJobResponse>)>;
  void Resolve(const std::string& tenant, const v1::ResolveJobRequest& request, ResolveDone done);

  // Looks no more after jobs whose shard has gone.
  void DropLost();

  // Reads the hints about the job that the store has, because another process may have kept them
  // there.
  void RecallHints(const JobKey& key);

  void Stop();

  std::size_t unconfirmed() const;
  std::size_t unconfirmed_of(const std::string& tenant) const;
  std::size_t unconfirmed_at(const std::string& account) const;
  // How long ago the oldest unconfirmed job was sent; zero if there is none.
  Duration oldest_age() const;

 private:
  // A Pictory job that an unconfirmed job is said to be. No candidate can hide another, whatever
  // Pictory says of it: the one that is due first is asked about.
  struct Candidate {
    std::string pictory_job_id;
    MonoTime due{};
    std::optional<MonoTime> first_asked{};
    int failures = 0;      // in a row
    bool unknown = false;  // what Pictory last answered to it was not about a job
  };
  struct Unconfirmed {
    JobRecord record;
    bool busy = false;             // a decision is being checked or stored
    std::vector<Candidate> hints;  // at most limits::kHintsMax, in the order they came
    bool asking = false;           // about one of them
    MonoTime asked{};              // when that was last begun
    Timers::Id timer = Timers::kNone;
  };
  struct EarlyHint {
    std::vector<std::string> pictory_job_ids;  // at most limits::kHintsMax, in the order they came
    MonoTime came;
  };
  using Resolved = std::function<void(absl::StatusOr<SnapshotPtr>)>;

  void RecallLater(const JobKey& key);
  void RecallUnread();
  void TakeHint(const JobKey& key, std::string pictory_job_id);
  void KeepEarly(const JobKey& key, std::string pictory_job_id);
  void NoteEarly(const JobKey& key, std::string pictory_job_id) REQUIRES(mutex_);
  void AskAboutHint(const JobKey& key);
  void OnHintAnswer(const JobKey& key, const std::string& pictory_job_id,
                    const pictory::JobReply& reply);
  void AskAgain(const JobKey& key, const std::string& pictory_job_id, Duration delay);
  // Drops a hint that leads nowhere.
  void DropHint(const JobKey& key, const std::string& pictory_job_id);
  static Candidate* Find(Unconfirmed& entry, const std::string& pictory_job_id);

  void Decide(const JobKey& key, const v1::ResolveJobRequest& request, ResolveDone done);
  void DecideElsewhere(const JobKey& key, const v1::ResolveJobRequest& request, ResolveDone done);
  void AdoptNamed(const JobKey& key, const std::string& pictory_job_id, ResolveDone done);
  // Stores a decision; this is the one way in which this class ends UNCONFIRMED. ABORTED if
  // somebody else has changed the job meanwhile: it is as that change left it, and can be decided
  // again.
  void StoreResolved(const JobKey& key, JobRecord record, std::string_view by, Resolved done);

  void ListCandidates(const JobKey& key, ResolveDone done);

  void Drop(const JobKey& key);

  // Claims the job for one decision. Returns false if it is claimed already or not unconfirmed any
  // more.
  bool Claim(const JobKey& key, JobRecord& record);
  void Release(const JobKey& key);
  void Sweep();

  const Shards& shards_;
  Upstreams& upstreams_;
  Ledger& ledger_;
  Submissions& submissions_;
  Sharing& sharing_;
  Jobs& jobs_;
  Hub& hub_;
  Poller& poller_;
  const Clock& clock_;
  Timers& timers_;
  const ResolveEvents events_;

  mutable Mutex mutex_;
  std::unordered_map<JobKey, Unconfirmed> unconfirmed_ GUARDED_BY(mutex_);
  // Hints that came before the answer to the submit, or before a restart. They count if that answer
  // never comes.
  std::unordered_map<JobKey, EarlyHint> early_ GUARDED_BY(mutex_);
  // Of these the store could not be asked for their hints.
  std::unordered_set<JobKey> unread_ GUARDED_BY(mutex_);
  Timers::Id recall_ GUARDED_BY(mutex_) = Timers::kNone;
  Timers::Id sweep_ GUARDED_BY(mutex_) = Timers::kNone;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
