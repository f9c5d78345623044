// Store is where jobs are kept. It is four interfaces, Submissions, Jobs, Leases and Feed, and has
// a fifth, Sharing. A class that uses the store takes only those that it needs; who opens and
// closes it has all. SqliteJobStore is the default, PostgresJobStore is for several gateways,
// MemoryJobStore serves tests and benches; one behaviour suite (tests/store) holds for all.
//
// Every call is asynchronous: callbacks run on a thread of the store (MemoryJobStore: inside the
// call), under no lock; those of writes of one job in the order of the calls. They must not block.
// A write's callback runs only once the write is durable. A failed write leaves nothing behind.
// Every key carries the tenant; there is no call that takes a job id alone. (A correlation token is
// random, and names one submission of all tenants.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/asked.h"
#include "jobs/job.h"
#include "jobs/job_key.h"
#include "jobs/owed_answers.h"
#include "jobs/retry_evidence.h"
#include "jobs/sharing.h"
#include "jobs/store_callback.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

struct BeginResult {
  // True: `record` is what was asked for, durable, and the caller owns the attempt.
  // False: `record` is the one that has this request_id already.
  bool begun = false;
  JobRecord record;
};

// Spent is a submission that may have cost money.
struct Spent {
  std::string tenant;
  WallTime sent_at;
  double credits = 0;   // what the job used, or what it may use
  double reserved = 0;  // of them, what it may use and Pictory has not told of

  bool operator==(const Spent&) const = default;
};

// A hint that KeepHints has kept.
struct Hint {
  JobKey job;
  std::string pictory_job_id;

  bool operator==(const Hint&) const = default;
};

// Which records are old enough to be forgotten.
struct PruneQuery {
  WallTime finished_before;  // jobs that callers see: ended before this
  WallTime untouched_since;  // records that callers do not see: last changed before this
  int limit = 0;             // at most so many at a time, fewer if their results are large, so
                             // that no other write waits long; none: nothing is old
};

// Which jobs List gives back. A job's id tells the millisecond of its create_time (base/ids.h), so
// a store may look for one by the other.
struct ListQuery {
  std::vector<JobState> states;  // empty: all
  std::vector<JobKind> kinds;    // empty: all
  std::map<std::string, std::string> labels;
  std::optional<WallTime> created_from;   // inclusive
  std::optional<WallTime> created_until;  // exclusive
  std::string before_job_id;  // the last job_id of the page before; empty: the first page
  // Only jobs with a notification in this state (jobs/notification.h): PENDING or GIVEN_UP.
  // UNSPECIFIED: all.
  v1::NotificationState notification = v1::NOTIFICATION_STATE_UNSPECIFIED;
  int limit = 0;
  // The caller needs no results: a store may leave out result_wire, archive_wire and
  // waiting_request, which may be large.
  bool without_results = false;
};

struct PartChunk {
  std::string data;
  std::int64_t total_bytes = 0;
};

// How many slices a part of so many bytes is stored in. One of any size has at least one.
constexpr std::size_t PartSlices(std::size_t bytes) {
  return bytes == 0 ? 1 : (bytes + limits::kPartSliceBytes - 1) / limits::kPartSliceBytes;
}

// The error of Update, TakeOver and Delete when the record has another version than they were
// given.
inline absl::Status ChangedMeanwhile() {
  return absl::AbortedError("Somebody else has changed the record meanwhile");
}

// The error of ReadFeed for a position from which it cannot go on.
inline absl::Status FeedForgotten() {
  return absl::OutOfRangeError("The feed does not go back as far as this position, or has none");
}

// Submissions is how jobs come to be and change. Only Ledger (jobs/ledger.h) replaces records.
class Submissions {
 public:
  virtual ~Submissions() = default;

  // Inserts `record`, as version 1, unless its (tenant, request_id) is known. If the known record
  // is kNotSent and of the same request, it is begun again (jobs/restart.h).
  virtual void Begin(JobRecord record, StoreCallback<BeginResult> done) = 0;

  // Replaces the record with this tenant and job_id, whose version is then one higher, and adds or
  // replaces `parts` of its result. Of the record's `delivery` it stores only that the answer has
  // arrived, which is never taken back. NOT_FOUND if there is no such record, ABORTED if it does
  // not have record.version: somebody else was first, and nothing of its parts was touched. Large
  // parts may be written before the record, with other writes in between.
  virtual void Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                      StoreDone done) = 0;

  // Inserts a job that was not submitted here, as version 1: somebody has named its Pictory id. It
  // has no request_id. ALREADY_EXISTS if its (account, pictory_job_id) or (tenant, job_id) is
  // known.
  virtual void Adopt(JobRecord record, StoreDone done) = 0;

  // Does as Update, when Pictory says that the submitted job is one that may have been adopted
  // meanwhile. An adopted record of the same tenant and account with record's pictory_job_id goes;
  // the parts of its result become this job's, and its job_id and its other names become other
  // names of this job (see Jobs::Find). `adopted_version` is that record's version, 0 if there was
  // none: ABORTED if it has another one. Gives back that job_id, empty if there was no such record.
  // ALREADY_EXISTS if the Pictory id belongs to a job that was submitted, or to one of another
  // tenant.
  virtual void TakeOver(JobRecord record, std::int64_t adopted_version,
                        StoreCallback<std::string> done) = 0;

  // Finds a record by its request_id, visible or not.
  virtual void FindRequest(std::string tenant, std::string request_id,
                           StoreCallback<std::optional<JobRecord>> done) = 0;

  // Finds the record of any tenant with this correlation_token, if the job has not ended; visible
  // or not.
  virtual void FindToken(std::string token, StoreCallback<std::optional<JobRecord>> done) = 0;

  // Finds a record of the tenant with this fingerprint and minted_request_id, created at or after
  // `since`, visible or not, that the evidence allows: a record of which the evidence is certain
  // comes first, then the newest.
  virtual void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                    RetryEvidence evidence, WallTime since,
                                    StoreCallback<std::optional<JobRecord>> done) = 0;

  // Keeps hints for Recover, beside the record: somebody who knows the job's correlation token says
  // that it is one of these at Pictory. At most limits::kHintsMax of a job are kept; one that is
  // known already costs no write. The feed of a shared store tells of it (FeedEntry::hint).
  virtual void KeepHints(JobKey job, std::vector<std::string> pictory_job_ids, StoreDone done) = 0;

  // Claims the answer of an owed job: counts one claim more, if the record has had `claim.claims`
  // so far, its answer has not arrived, and it is kSending, kAccepted or kUnknown. Gives back false
  // if not.
  virtual void Claim(OwedAnswers::Claim claim, StoreCallback<bool> done) = 0;
};

// Jobs reads and deletes the jobs that there are.
class Jobs {
 public:
  virtual ~Jobs() = default;

  // Finds a visible record by its job_id, else by its pictory_job_id, else by the job_id of an
  // adopted job that it has taken over; nullopt if there is none. If several accounts have given
  // the tenant the same Pictory id, the newest job is found.
  virtual void Find(std::string tenant, std::string name,
                    StoreCallback<std::optional<JobRecord>> done) = 0;

  // Finds the visible records with these job_ids, in the order of `jobs`; of those that there are
  // not, none. The list may end once limits::kListReadMaxBytes of results are read, after at least
  // one record: who got fewer than asked for asks again, for those behind the last one.
  virtual void FindMany(std::vector<JobKey> jobs, StoreCallback<std::vector<JobRecord>> done) = 0;

  // Finds the tenant that owns a job of this Pictory account; nullopt if nobody does.
  virtual void FindOwner(std::string account, std::string pictory_job_id,
                         StoreCallback<std::optional<std::string>> done) = 0;

  // Lists visible jobs, newest first, at most query.limit; the list may end once
  // limits::kListReadMaxBytes of results are read.
  virtual void List(std::string tenant, ListQuery query,
                    StoreCallback<std::vector<JobRecord>> done) = 0;

  // Reads the bytes [offset, offset + max_bytes) of a part. NOT_FOUND without such a part; an
  // offset at or past the end gives empty data.
  virtual void ReadPart(std::string tenant, std::string job_id, v1::ResultPart part,
                        std::int64_t offset, std::int64_t max_bytes,
                        StoreCallback<PartChunk> done) = 0;

  // Does as Update, and the parts and labels of the job go.
  virtual void Delete(JobRecord record, StoreDone done) = 0;

  // Removes records and all that belongs to them, the oldest first; UNCONFIRMED jobs and running
  // submissions never; at most query.limit. Gives back their names: of each its own, then those of
  // the jobs that it has taken over.
  virtual void Prune(PruneQuery query, StoreCallback<std::vector<JobKey>> done) = 0;

  // Stores how long Pictory could be asked about jobs of this account, for the next start.
  virtual void NoteAsked(std::string account, Asked asked, StoreDone done) = 0;
};

// Lease is a shard of the jobs (Job::shard), held by this process.
struct Lease {
  std::int32_t shard = 0;
  std::int64_t epoch = 0;  // rises whenever the shard gets another holder
  BootTime until{};        // held up to then without another Renew; BootTime::max(): till the end

  bool operator==(const Lease&) const = default;
};

// A job by its name, and whose it is to look after.
struct ShardJob {
  JobKey job;
  std::int32_t shard = 0;

  bool operator==(const ShardJob&) const = default;
};

// What a process holds of its store.
struct Holding {
  std::vector<Lease> leases;  // in the order of their shards
  int processes = 1;          // that use this store at present, this one among them
  Duration ahead{};           // so far is the store's clock ahead of this process's
  // Answers that a process owed which is gone, as far as they were found since the last time; this
  // one owes them now. Each comes once.
  std::vector<OwedJob> owed;
};

// Leases says which process looks after which jobs. A lease saves double polls and decides nothing:
// the versions of records stop a process that has lost a lease without knowing it.
class Leases {
 public:
  virtual ~Leases() = default;

  // Renews the leases of this process, takes free shards while it holds fewer than its share of
  // all, and gives some back while it holds more. A lease that it had and that is not among those
  // given back to it is lost. Submissions in its shards whose process is gone are ended
  // (jobs/restart.h), and the feed tells of them; they are looked for after the answer, for that
  // may take long. Called after Recover. A store of one process grants all.
  virtual void Renew(StoreCallback<Holding> done) = 0;

  // Hands over the visible records of these shards that are not final, one after the other, on a
  // thread of the store; then `done`. What changes meanwhile may come as it was or as it is, and a
  // record may come twice.
  virtual void ReadShards(std::vector<std::int32_t> shards, std::function<void(JobRecord)> take,
                          StoreDone done) = 0;

  // Does the same with the names of the jobs of these shards that have a notification to be
  // delivered (jobs/notification.h), in no order; and of those that are archiving
  // (jobs/archive_plan.h), those that ended first coming first.
  using TakeName = std::function<void(ShardJob)>;
  virtual void ReadNotifying(std::vector<std::int32_t> shards, TakeName take, StoreDone done) = 0;
  virtual void ReadArchiving(std::vector<std::int32_t> shards, TakeName take, StoreDone done) = 0;
};

// FeedEntry is a job that has changed.
struct FeedEntry {
  JobKey job;
  std::int32_t shard = 0;
  std::int64_t version = 0;  // that it has now, so that who knows as much need not read it
  bool gone = false;         // deleted, taken over or forgotten
  bool hint = false;         // nothing changed, but somebody says that the job has news

  bool operator==(const FeedEntry&) const = default;
};

struct FeedPage {
  std::vector<FeedEntry> entries;
  std::string position;  // after the last of them
  // Who has stopped the submits of all processes (Sharing::SetStopped), for people; empty: nobody.
  std::string stopped_by;
  int sharers = 0;  // how many processes take a share of the shards; 0: the store does not say
};

// Feed is what has changed in the store, whoever changed it, visible or not. A reader follows it
// from where it ends at some moment; what there was before is read from Jobs, after that moment.
//
// A position is an opaque text of the store's own, to be handed back and not to be parsed. It holds
// across restarts.
class Feed {
 public:
  virtual ~Feed() = default;

  // Finds where the feed ends: after every write whose callback has run.
  virtual void FindFeedEnd(StoreCallback<std::string> done) = 0;

  // Reads at most `limit` entries after `position`, in the order in which they came. A job that
  // changed several times comes at least once, as it was left. If nothing is new there are no
  // entries and the position is the same. OUT_OF_RANGE if what changed since then is forgotten, or
  // if it is no position of this store: the reader has to start anew.
  virtual void ReadFeed(std::string position, int limit, StoreCallback<FeedPage> done) = 0;
};

// How many jobs of a tenant have not ended that one account has made, and how many of them Pictory
// can be asked about (IsPollable): not those that wait, nor those that are unconfirmed.
struct Unfinished {
  std::string account;
  std::string tenant;
  std::size_t jobs = 0;
  std::size_t pollable = 0;

  bool operator==(const Unfinished&) const = default;
};

// Recovered is what the store tells of the process before.
struct Recovered {
  std::int64_t epoch = 0;
  std::vector<Unfinished> unfinished;  // the visible records that are not final
  // Of limits::kSpendingWindow before StartTime, in no order; none of a store that is shared.
  std::vector<Spent> spent;
  // Answers that may not have arrived, oldest first: of the last limits::kOwedWindow of the
  // process before, unless that is longer ago than limits::kOwedAcrossRestart.
  std::vector<OwedJob> owed;  // and from now on this process owes them
  AskedOfAccounts asked;      // as noted last
  std::vector<Hint> hints;    // about the jobs that are kUnknown now, in the order they came

  // How many they are in all.
  std::size_t unfinished_jobs() const {
    std::size_t jobs = 0;
    for (const Unfinished& some : unfinished) jobs += some.jobs;
    return jobs;
  }
};

// Store is a whole store: its interfaces, and what a process calls at its beginning and its end.
class Store : public Submissions, public Jobs, public Leases, public Feed {
 public:
  template <class T>
  using Callback = StoreCallback<T>;
  using Done = StoreDone;

  // What it does because processes share it: NotShared, if it is of one process.
  virtual Sharing& sharing() = 0;

  // Starts a new epoch, ends the submissions that were under way (jobs/restart.h), and counts the
  // visible records that are not final. Called once, before serving, on the caller's thread.
  virtual absl::StatusOr<Recovered> Recover(WallTime now) = 0;

  // Hands over the records that Recover has counted, in the order of their next poll, one after the
  // other, because all of them together may be more than there is memory for. Called after Recover,
  // before any other write, on the caller's thread.
  virtual absl::Status ReadUnfinished(const std::function<void(JobRecord)>& take) = 0;

  // Says that the process ends in order. `owed` are the jobs whose answers it still owes, and of
  // each only `job_id`, `tenant` and `delivery` count; every other answer of its epoch has arrived.
  // Without this call every record that is kUnsaid is owed after the restart.
  virtual void EndEpoch(std::vector<OwedJob> owed, Done done) = 0;

  // Waits until everything handed in is durable, then refuses further writes.
  virtual void Close() = 0;
};

}  // namespace gateway::jobs
