// Submitter submits paid jobs. It makes Pictory accept at most one job per (tenant, request_id),
// whatever callers, meshes and the network do, and it forgets no job.
//
// A submit without a request_id gets one: that of the earlier call which its metadata say it
// repeats, that of an equal submit whose answer may not have arrived (jobs/owed_answers.h), or a
// new one. From there on all go one way: joined to a running attempt of the same request_id, or
//   resolve the job it refers to → translate → credentials → turn → recorded as SENDING, durable
//   → POST → outcome recorded, durable → published → every waiting caller answered.
// Credentials that must be fetched are there before SENDING is recorded. Where Pictory refuses an
// access token, nothing was started: that is recorded, a new token is fetched, SENDING is recorded
// again as the next attempt, and the POST is sent a second and last time. An attempt goes on as
// long as one of its callers is there and has time. Once SENDING is recorded nothing stops the
// transfer: neither a cancel nor a deadline, nor the end of the program, before which callers are
// told that the outcome is unknown (AnswerUnconfirmed). An outcome that cannot be known is no
// error: the job is answered UNCONFIRMED and never sent again. An outcome that is known and that
// the store is too busy to take is kept, and the attempt goes on until it is stored.
//
// A submit that may wait for the job it refers to, and has to, is recorded as waiting after the
// first step and answered at once. Once that job has ended, an attempt without callers takes all
// the steps; SENDING is recorded in place of waiting, if that is what the record still says.
//
// With a store that several processes share, a record that is SENDING may be another's. What that
// one hears from Pictory is waited for, and nothing is sent. Callers who cannot wait so long are
// told that the job is UNCONFIRMED, once that is stored, and the other process finds it so: what it
// hears is a late answer then. A submit without a request_id whose equal is another process's joins
// that one: it looks before it records anything, and once more between its intent and SENDING, or
// WAITING. A process that was stopped between the write of SENDING and the request does not send
// it: another may have said by then that the job is UNCONFIRMED, and somebody may have given it up.
//
// Thread-safe; work runs on the caller's thread and on those of store, transport and timers, and
// never blocks. What is passed to the constructor must outlive the submitter and its running
// attempts (see Drain).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/trace_context.h"
#include "google/protobuf/message.h"
#include "jobs/adopter.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/late_writes.h"
#include "jobs/ledger.h"
#include "jobs/owed_answers.h"
#include "jobs/owner.h"
#include "jobs/retry_evidence.h"
#include "jobs/shards.h"
#include "jobs/spending.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"
#include "jobs/waiting_jobs.h"
#include "pictory/submit_reply.h"

namespace gateway::jobs {

// A validated submit.
struct SubmitRequest {
  Owner owner;
  JobKind kind = v1::JOB_KIND_UNSPECIFIED;
  std::string request_id;  // never empty
  std::map<std::string, std::string> labels;
  std::string name;        // empty: that of the job that it is made of, if it has one
  std::string notify_url;  // empty: the tenant's own
  std::string fingerprint;
  MonoTime deadline = MonoTime::max();
  // The caller gave no request_id: `request_id` is a newly minted one, and only the metadata and
  // the content can tell whether the submit repeats an earlier one.
  bool minted_request_id = false;
  RetryEvidence retry;
  TraceContext trace;  // of the call
  std::shared_ptr<const google::protobuf::Message> request;
  // Set once the caller is gone; may be null. It is read only before anything is sent.
  std::shared_ptr<std::atomic<bool>> cancelled;
  // The submit waits if the job that it names has not ended (jobs/waiting_jobs.h).
  bool waits = false;
  // Counts `bytes` that are read from the store for this submit, as long as anybody has what it
  // returns; or says that there are too many. Null: nobody counts them.
  std::function<absl::StatusOr<std::shared_ptr<void>>(std::size_t bytes)> hold;
};

struct SubmitterOptions {
  bool sandbox = false;
  std::int64_t epoch = 0;  // of Store::Recover
  // The URL for the webhook call of a submission with this correlation token; null, or a result of
  // "": no webhook call is asked for.
  std::function<std::string(const std::string& token)> webhook_url;
  // Whether Pictory is told of the trace that a submit is in.
  bool send_traceparent = false;
  // How many jobs of a tenant have not ended, those aside that are being submitted. Null: 0.
  std::function<std::size_t(const std::string& tenant)> active_jobs;
  // Whether an account has more jobs here than can be polled as often as they should be, so that
  // new ones are for all processes that share the store. Null: no.
  std::function<bool(const std::string& account)> has_many;
  // Runs the making of a large submit's body, which takes time in proportion to its size. Null: it
  // is made on the thread that comes to it, which may be the store's.
  std::function<void(std::function<void()>)> aside;
};

// AnswerSource says where the answer to a submit comes from, if not from the call itself.
struct AnswerSource {
  AnswerRule rule = AnswerRule::kOwn;
  std::string request_id;  // of the job; "" with kOwn
  // To be told by the caller once the call has ended well; null if nobody needs to know.
  std::shared_ptr<OwedAnswers::Call> call;
};

struct SubmitEvents {
  std::function<void(const JobRecord&, const pictory::SubmitReply&)> replied;
  // What came of Pictory's answer names this id, which is not believed. The job is UNCONFIRMED, or
  // becomes so.
  std::function<void(const JobKey&, const std::string& pictory_job_id)> hinted;
  // Pictory answered a submit with the id of a job that another job here owns, or the submit's job
  // has been given another id meanwhile. Never expected.
  std::function<void(const JobRecord&, const std::string& pictory_job_id)> foreign;
  // A submit without a request_id is taken for an earlier one, which has this request_id.
  std::function<void(AnswerRule, const SubmitRequest& request)> repeated;
  // A submit has the request_id of an earlier one, whose job or whose end answers it.
  std::function<void()> request_id_repeated;
};

class Submitter {
 public:
  using Answer = absl::StatusOr<std::shared_ptr<const Snapshot>>;
  using Done = std::function<void(Answer, const AnswerSource&)>;

  Submitter(SubmitterOptions options, const Shards& shards, Upstreams& upstreams,
            Spending& spending, OwedAnswers& owed, WaitingJobs& waiting, Ledger& ledger,
            Submissions& submissions, Sharing& sharing, Jobs& jobs, Hub& hub, Adopter& adopter,
            const Clock& clock, Timers& timers, Random& random, SubmitEvents events);
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // Calls `done` exactly once, under no lock.
  void Submit(SubmitRequest request, Done done);

  // Sends a job that waits and for which `credits_held` are reserved. `done` gets OK once it does
  // not wait any more, or why it still does.
  void SendWaiting(JobRecord waiting, double credits_held, WaitingJobs::Sent done);

  // Refuses new submits from now on, and calls `idle` once no attempt is running.
  void Drain(std::function<void()> idle);

  // To be called when the program ends and callers cannot wait any longer. The callers whose
  // request was sent are told that the job is unconfirmed, once that is durable. Nothing more is
  // sent. Answers of Pictory that still come are recorded.
  void AnswerUnconfirmed();

  std::size_t running() const;

 private:
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;
  // The part that a submit takes of the result of the job it refers to.
  struct Inline {
    std::string job_id;
    std::string pictory_id;
    v1::ResultPart part;
    std::int64_t bytes;

    absl::Status WhyNot(const absl::Status& read) const;  // it could not be read
  };
  // One caller who waits for an attempt.
  struct Waiter {
    Done done;
    AnswerSource source;
    MonoTime deadline;
    std::shared_ptr<std::atomic<bool>> cancelled;

    bool gone() const { return cancelled != nullptr && cancelled->load(); }
  };

  // For a submit without a request_id: finds out which earlier submit it repeats.
  void Identify(SubmitRequest request, OwedAnswers::Id id, Done done);
  void TakeClaim(SubmitRequest request, OwedAnswers::Claim claim, Waiter waiter);
  // Does as Identify, unless another process has an equal submit: then it is that one.
  void LookElsewhere(SubmitRequest request, OwedAnswers::Id id, Done done);

  // The steps of an attempt, in the order they are taken.
  void Start(SubmitRequest request, Waiter waiter);
  void Resolve(const AttemptPtr& attempt);
  void PriceReferenced(const AttemptPtr& attempt, const SnapshotPtr& referenced);
  void SizeReferenced(const AttemptPtr& attempt, const Snapshot& referenced);
  void ReadReferenced(const AttemptPtr& attempt, const Inline& from);
  // Takes the one place for what is read for a job that has waited; or says that it is taken.
  absl::StatusOr<std::shared_ptr<void>> HoldPartOfWaiting() EXCLUDES(mutex_);
  // For a job that is to wait: records that, and answers.
  void Hold(const AttemptPtr& attempt, const Snapshot& referenced);
  void HoldUncontended(const AttemptPtr& attempt, const std::string& other);
  void OweElsewhere(const JobRecord& waited);
  void Translate(const AttemptPtr& attempt, std::string referenced_pictory_id, std::string inlined);
  void MakeBody(const AttemptPtr& attempt, std::string_view referenced_pictory_id,
                std::string_view inlined);
  void Authorize(const AttemptPtr& attempt);
  void Record(const AttemptPtr& attempt);
  // Whether another process may begin an equal submit in this moment, so that a recorded intent has
  // to find out first which of them goes on.
  bool Contends(const Attempt& attempt) const;
  EqualQuery EqualTo(const SubmitRequest& request) const;
  void Contend(const AttemptPtr& attempt, std::function<void()> go_on);
  void GiveWay(const AttemptPtr& attempt, const JobRecord& other);
  void RunInPlace(const AttemptPtr& attempt);
  void AskAnew(const AttemptPtr& attempt, const std::function<void(SubmitRequest, Done)>& ask);
  // The door of its account, which stays open for as long as the attempt has it.
  Upstream& UpstreamOf(Attempt& attempt);
  void Refund(const Attempt& attempt);
  absl::Status TakeActive(Attempt& attempt) EXCLUDES(mutex_);
  bool TakeTurn(Attempt& attempt);  // false: it is not its turn yet
  void AwaitTurn(const AttemptPtr& attempt);
  void MarkSending(const AttemptPtr& attempt);
  void Send(const AttemptPtr& attempt);
  void OnReply(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void TakeReply(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void KeepHint(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void DropBody(Attempt& attempt);
  void StoreOutcome(const AttemptPtr& attempt, pictory::SubmitReply reply);
  void SendAgain(const AttemptPtr& attempt, const pictory::SubmitReply& refusal);
  void OnOutcomeStored(const AttemptPtr& attempt, const pictory::SubmitReply& reply,
                       Ledger::Outcome outcome);
  // Stores the record of an attempt before Pictory has answered; nobody else changes it then.
  // StoreAtLast tries again while the store is busy.
  void Store(const AttemptPtr& attempt, StoreDone done);
  void StoreAtLast(const AttemptPtr& attempt, StoreDone done);

  // The ends of an attempt that need no POST.
  void AnswerFromRequestId(const AttemptPtr& attempt, absl::Status otherwise);
  void AnswerFromRecord(const AttemptPtr& attempt, const JobRecord& record);
  // Waits for what becomes of a submit of this request_id that another process has under way.
  void AwaitPeer(const AttemptPtr& attempt, const JobRecord& record);
  void LeavePeer(const AttemptPtr& attempt, const JobRecord& record, const absl::Status& gone);
  void CallUnconfirmed(const AttemptPtr& attempt);
  void GiveUpUnsent(const AttemptPtr& attempt, absl::Status why);
  // The end of an attempt to send a job that waits, before anything was sent: it goes on waiting,
  // or has failed if `why` will not pass.
  void GiveUpWaiting(const AttemptPtr& attempt, absl::Status why);
  void FailWaiting(const AttemptPtr& attempt, std::string code, std::string why);

  absl::Status CheckCallers(const Attempt& attempt) const;
  MonoTime DeadlineOf(const Attempt& attempt) const;
  void TellUnconfirmed(const AttemptPtr& attempt);
  void TellUnconfirmedLater(const AttemptPtr& attempt);
  std::int32_t PickShard(const Attempt& attempt) const;
  JobRecord NewRecord(const Attempt& attempt, SubmissionState state, std::int32_t shard);
  // Tells of a submit that the record of its own request_id answers.
  void NoteRepeated(const Attempt& attempt, const JobRecord& record) const;
  void CountRepeated(const std::string& tenant) const;
  void Finish(const AttemptPtr& attempt, const Answer& answer);
  // Ends the attempt, with a job or none, and gives its callers back; `idle` is to be called once
  // they are answered, if it is set.
  std::vector<Waiter> End(const AttemptPtr& attempt, const std::string& job_id,
                          std::function<void()>& idle) EXCLUDES(mutex_);

  const SubmitterOptions options_;
  const Shards& shards_;
  Upstreams& upstreams_;
  Spending& spending_;
  OwedAnswers& owed_;
  WaitingJobs& waiting_;
  Ledger& ledger_;
  Submissions& submissions_;
  Sharing& sharing_;
  Jobs& jobs_;
  Hub& hub_;
  Adopter& adopter_;
  const Clock& clock_;
  Timers& timers_;
  Random& random_;
  const SubmitEvents events_;
  LateWrites late_writes_;

  mutable Mutex mutex_;
  std::unordered_map<JobKey, AttemptPtr> attempts_ GUARDED_BY(mutex_);  // by request_id
  std::function<void()> idle_ GUARDED_BY(mutex_);
  // What is read of another job's result for a job that has waited: one at a time, because no
  // caller's share of the memory counts it.
  std::weak_ptr<void> part_of_waiting_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
