// Where jobs are kept, in four interfaces: who uses the store takes those that it needs. Store is
// all of them, for who opens and closes it. SqliteJobStore is the default, MemoryJobStore serves
// tests and benches; one behaviour suite (tests/store) holds for all.
//
// Every call is asynchronous: callbacks run on a thread of the store (MemoryJobStore: inside the
// call), under no lock; those of writes of one job in the order of the calls. They must not block.
// A write's callback runs only once the write is durable. A failed write leaves nothing behind.
// Every key carries the tenant; there is no call that takes a job id alone. (A correlation token is
// random, and names one submission of all tenants.)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/asked.h"
#include "jobs/job.h"
#include "jobs/job_key.h"
#include "jobs/owed_answers.h"
#include "jobs/retry_evidence.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

struct BeginResult {
  // True: `record` is what was asked for, durable, and the caller owns the attempt.
  // False: `record` is the one that has this request_id already.
  bool begun = false;
  JobRecord record;
};

// A submission that may have cost money.
struct Spent {
  std::string tenant;
  WallTime sent_at;

  bool operator==(const Spent&) const = default;
};

// What KeepHints has kept.
struct Hint {
  JobKey job;
  std::string pictory_job_id;

  bool operator==(const Hint&) const = default;
};

// What is old enough to be forgotten.
struct PruneQuery {
  WallTime finished_before;  // jobs that callers see: ended before this
  WallTime untouched_since;  // records that callers do not see: last changed before this
  int limit = 0;             // at most so many at a time, fewer if their results are large, so
                             // that no other write waits long; none: nothing is old
};

// A job's id tells the millisecond of its create_time (base/ids.h): a store may look for one by the
// other.
struct ListQuery {
  std::vector<JobState> states;  // empty: all
  std::vector<JobKind> kinds;    // empty: all
  std::map<std::string, std::string> labels;
  std::optional<WallTime> created_from;   // inclusive
  std::optional<WallTime> created_until;  // exclusive
  std::string before_job_id;  // the last job_id of the page before; empty: the first page
  int limit = 0;
};

struct PartChunk {
  std::string data;
  std::int64_t total_bytes = 0;
};

// What Update and Delete say when the record has another version than they were told.
inline absl::Status ChangedMeanwhile() {
  return absl::AbortedError("Somebody else has changed the record meanwhile");
}

// What ReadFeed says of a position that it cannot go on from.
inline absl::Status FeedForgotten() {
  return absl::OutOfRangeError("The feed does not go back as far as this position, or has none");
}

template <class T>
using StoreCallback = std::function<void(absl::StatusOr<T>)>;
using StoreDone = std::function<void(absl::Status)>;

// How jobs come to be and change. Only jobs/ledger.h writes records.
class Submissions {
 public:
  virtual ~Submissions() = default;

  // Inserts `record`, as version 1, unless its (tenant, request_id) is known. A known one that is
  // kNotSent and of the same request is begun again (jobs/restart.h).
  virtual void Begin(JobRecord record, StoreCallback<BeginResult> done) = 0;

  // Replaces the record with this tenant and job_id, whose version is then one higher, and adds or
  // replaces `parts` of its result; of its `delivery` only that the answer has arrived, which is
  // never taken back. NOT_FOUND if there is none, ABORTED if it does not have record.version:
  // somebody else was first. Large parts may be written before the record, other writes in between;
  // what is left of them if the rest fails is replaced by the next Update with that part.
  virtual void Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                      StoreDone done) = 0;

  // Inserts a job that was not submitted here, as version 1: somebody has named its Pictory id. It
  // has no request_id. ALREADY_EXISTS if its (account, pictory_job_id) or (tenant, job_id) is
  // known.
  virtual void Adopt(JobRecord record, StoreDone done) = 0;

  // As Update, when Pictory says that the submitted job is one that may have been adopted
  // meanwhile: an adopted record of the same tenant and account with record's pictory_job_id goes,
  // the parts of its result become this job's, and its job_id another name of it, as do its other
  // names (see Jobs::Find). `adopted_version` is
  // that record's, 0 if there was none: ABORTED if it is another one, as if `record` were. Gives
  // back that job_id, empty if there was none. ALREADY_EXISTS if the Pictory id belongs to a job
  // that was submitted, or to one of another tenant.
  virtual void TakeOver(JobRecord record, std::int64_t adopted_version,
                        StoreCallback<std::string> done) = 0;

  // By request_id, visible or not.
  virtual void FindRequest(std::string tenant, std::string request_id,
                           StoreCallback<std::optional<JobRecord>> done) = 0;

  // The record of any tenant with this correlation_token, if it has not ended; visible or not.
  virtual void FindToken(std::string token, StoreCallback<std::optional<JobRecord>> done) = 0;

  // The record of the tenant with this fingerprint and minted_request_id, created at or after
  // `since`, visible or not, that the evidence allows: one that it makes certain first, then the
  // newest.
  virtual void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                    RetryEvidence evidence, WallTime since,
                                    StoreCallback<std::optional<JobRecord>> done) = 0;

  // Somebody who knows its token says that the job is one of these at Pictory. Kept beside the
  // record for Recover, at most limits::kHintsMax of a job; one that is known already costs no
  // write.
  virtual void KeepHints(JobKey job, std::vector<std::string> pictory_job_ids, StoreDone done) = 0;

  // Takes the answer of an owed job: counts one claim more, if the record has had `claim.claims` so
  // far, its answer has not arrived, and it is kSending, kAccepted or kUnknown. False if not.
  virtual void Claim(OwedAnswers::Claim claim, StoreCallback<bool> done) = 0;
};

// The jobs that there are.
class Jobs {
 public:
  virtual ~Jobs() = default;

  // By job_id, else by pictory_job_id, else by the job_id of an adopted job that it has taken over.
  // Visible records only. nullopt if there is none. Of several accounts that have given the tenant
  // one Pictory id the newest job.
  virtual void Find(std::string tenant, std::string name,
                    StoreCallback<std::optional<JobRecord>> done) = 0;

  // The tenant that owns a job of this Pictory account; nullopt if nobody does.
  virtual void FindOwner(std::string account, std::string pictory_job_id,
                         StoreCallback<std::optional<std::string>> done) = 0;

  // Visible jobs, newest first, at most query.limit; may end once limits::kListReadMaxBytes of
  // results are read.
  virtual void List(std::string tenant, ListQuery query,
                    StoreCallback<std::vector<JobRecord>> done) = 0;

  // Bytes [offset, offset + max_bytes) of a part. NOT_FOUND without such a part; an offset at or
  // past the end gives empty data.
  virtual void ReadPart(std::string tenant, std::string job_id, v1::ResultPart part,
                        std::int64_t offset, std::int64_t max_bytes,
                        StoreCallback<PartChunk> done) = 0;

  // As Update, and the parts and labels of the job are gone.
  virtual void Delete(JobRecord record, StoreDone done) = 0;

  // Removes records and all that belongs to them, the oldest first; UNCONFIRMED jobs and running
  // submissions never. Gives back their tenants and job ids, at most query.limit.
  virtual void Prune(PruneQuery query, StoreCallback<std::vector<JobKey>> done) = 0;

  // How long Pictory could be asked, for the next start.
  virtual void NoteAsked(Asked asked, StoreDone done) = 0;
};

// A shard of the jobs (JobRecord::shard), held by this process.
struct Lease {
  std::int32_t shard = 0;
  std::int64_t epoch = 0;  // rises whenever the shard gets another holder
  MonoTime until{};        // held up to then without another Renew; MonoTime::max(): till the end

  bool operator==(const Lease&) const = default;
};

// Which process polls which jobs. A lease saves double polls and decides nothing: who has lost one
// without knowing it is stopped by the versions of records.
class Leases {
 public:
  virtual ~Leases() = default;

  // Renews the leases of this process, and takes more while it has fewer than `wanted`. Gives back
  // all that it holds then: one that it had and that is not among them is lost. After Recover.
  // With a store of one process each is granted.
  virtual void Renew(std::int32_t wanted, StoreCallback<std::vector<Lease>> done) = 0;
};

// A job that has changed.
struct FeedEntry {
  JobKey job;
  std::int32_t shard = 0;
  std::int64_t version = 0;  // that it has now, so that who knows as much need not read it
  bool gone = false;         // deleted, taken over or forgotten

  bool operator==(const FeedEntry&) const = default;
};

struct FeedPage {
  std::vector<FeedEntry> entries;
  std::string position;  // after the last of them
};

// What has changed in the store, by whomever, visible or not. It is followed from where it ends at
// some moment on; what there was before is read from Jobs, after that moment.
//
// A position is the store's own word, to be handed back and not to be looked into. It holds across
// restarts.
class Feed {
 public:
  virtual ~Feed() = default;

  // Where the feed ends: after every write whose callback has run.
  virtual void FindFeedEnd(StoreCallback<std::string> done) = 0;

  // At most `limit` entries after `position`, in the order in which they came. A job that changed
  // several times comes at least once, as it was left; nothing new is no entries and the same
  // position. OUT_OF_RANGE: what went since then is forgotten, or it is no position of this store;
  // start anew.
  virtual void ReadFeed(std::string position, int limit, StoreCallback<FeedPage> done) = 0;
};

// What the store has told of the process before.
struct Recovered {
  std::int64_t epoch = 0;
  std::size_t unfinished = 0;
  std::vector<Spent> spent;  // of limits::kSpendingWindow before StartTime, in no order
  // Answers that may not have arrived, oldest first: of the last limits::kOwedWindow of the
  // process before, unless that is longer ago than limits::kOwedAcrossRestart.
  std::vector<OwedJob> owed;  // and from now on this process owes them
  Asked asked;                // as noted last; all zero if never
  std::vector<Hint> hints;    // about the jobs that are kUnknown now, in the order they came
};

// A whole store, and the life of a process with it.
class Store : public Submissions, public Jobs, public Leases, public Feed {
 public:
  template <class T>
  using Callback = StoreCallback<T>;
  using Done = StoreDone;

  // Once, before serving, on the caller's thread: starts a new epoch, settles the submissions that
  // were under way (jobs/restart.h), and counts the visible records that are not final.
  virtual absl::StatusOr<Recovered> Recover(WallTime now) = 0;

  // After Recover, before any other write, on the caller's thread: hands over the records that it
  // has counted, by the time of their next poll. One after the other, because all of them together
  // may be more than there is memory for.
  virtual absl::Status ReadUnfinished(const std::function<void(JobRecord)>& take) = 0;

  // The process ends in order: `owed` are the jobs whose answer still is, every other answer of its
  // epoch has arrived. Without this call every record that is kUnsaid is owed after the restart.
  // Of each the `job_id` and `delivery` count.
  virtual void EndEpoch(std::vector<OwedJob> owed, Done done) = 0;

  // Waits until everything handed in is durable, then refuses further writes.
  virtual void Close() = 0;
};

}  // namespace gateway::jobs
