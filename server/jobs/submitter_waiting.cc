// The fourth part of Submitter: jobs that wait. It records them, begins the attempts to send them,
// and ends those that come to nothing.
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "base/stable_bytes.h"
#include "jobs/outcome.h"
#include "jobs/submitter.h"
#include "jobs/submitter_attempt.h"
#include "jobs/waiting_request.h"
#include "pictory/bindings.h"

namespace gateway::jobs {
namespace {

JobRecord WaitingFor(JobRecord record, const std::string& other) {
  record.submission = SubmissionState::kWaiting;
  record.job.state = v1::JOB_STATE_WAITING;
  record.job.revision = 1;
  record.job.message = "Waits until " + other + " has SUCCEEDED; nothing is sent or billed before";
  return record;
}

}  // namespace

// Everything that can be refused now is refused now: the body is made as if the other job were
// there, also for what it may cost.
void Submitter::Hold(const AttemptPtr& attempt, const Snapshot& referenced) {
  if (absl::Status gone = CheckCallers(*attempt); !gone.ok()) {
    return AnswerFromRequestId(attempt, std::move(gone));
  }
  std::string request = StableBytes(*attempt->request.request);
  if (request.size() > limits::kWaitingRequestMaxBytes) {
    const auto* const waits = pictory::FieldsOf(attempt->request.request->GetDescriptor()).waits;
    return AnswerFromRequestId(
        attempt, errors::Invalid(waits->name(),
                                 "a request that waits may have " +
                                     std::to_string(limits::kWaitingRequestMaxBytes) +
                                     " bytes, and this one has " + std::to_string(request.size()) +
                                     "; wait for the job, then send it"));
  }
  absl::StatusOr<pictory::Submission> submission = pictory::Translate(
      *attempt->request.request, referenced.job_id(), "", UpstreamOf(*attempt).translate(), "[]");
  if (!submission.ok()) return AnswerFromRequestId(attempt, submission.status());
  attempt->credits = attempt->CreditsToReserve(*submission);
  if (absl::Status active = TakeActive(*attempt); !active.ok()) {
    return AnswerFromRequestId(attempt, std::move(active));
  }
  const std::size_t bytes = request.size();
  if (absl::Status place = waiting_.TakePlace(attempt->key, bytes, attempt->credits); !place.ok()) {
    return AnswerFromRequestId(attempt, std::move(place));
  }
  const std::string other(referenced.job_id());
  JobRecord record = NewRecord(*attempt, SubmissionState::kIntent, referenced.shard);
  record.waiting_request = std::move(request);
  if (!Contends(*attempt)) record = WaitingFor(std::move(record), other);
  ledger_.Begin(std::move(record),
                [this, attempt, bytes, other](absl::StatusOr<BeginResult> begun) {
                  const bool ours = begun.ok() && begun->begun;
                  if (!ours) waiting_.GiveBack(attempt->key, bytes, attempt->credits);
                  if (!begun.ok()) return Finish(attempt, begun.status());
                  if (!ours) NoteRepeated(*attempt, begun->record);
                  if (!ours || !Contends(*attempt)) return AnswerFromRecord(attempt, begun->record);
                  attempt->record = std::move(begun->record);
                  attempt->place = bytes;
                  Contend(attempt, [this, attempt, other] { HoldUncontended(attempt, other); });
                });
}

// Callers see a job only once it is certain that it will wait.
void Submitter::HoldUncontended(const AttemptPtr& attempt, const std::string& other) {
  ledger_.Update({.record = WaitingFor(attempt->record, other)},
                 [this, attempt](const Ledger::Outcome& stored) {
                   if (!stored.status.ok()) return GiveUpUnsent(attempt, stored.status);
                   attempt->place = 0;  // it is the job's now
                   AnswerFromRecord(attempt, stored.record);
                 });
}

// What is known of the answer to a submit that another process has begun is known there. From now
// on this one says in the record whether it has arrived, so it owes it too, as after a restart.
void Submitter::OweElsewhere(const JobRecord& waited) {
  if (shards_.alone() || !waited.minted_request_id || waited.owner_epoch == options_.epoch) return;
  owed_.Recover({{.tenant = waited.job.tenant,
                  .fingerprint = waited.fingerprint,
                  .request_id = waited.job.request_id,
                  .job_id = waited.job.job_id}});
}

void Submitter::SendWaiting(JobRecord waiting, double credits_held, WaitingJobs::Sent done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->key = JobKey{waiting.job.tenant, waiting.job.request_id};
  attempt->waited = std::move(done);
  attempt->waited_job_id = waiting.job.job_id;
  attempt->credits_held = credits_held;
  SubmitRequest& request = attempt->request;
  // Nobody names the other job now, so nothing is adopted.
  request.owner = {.tenant = waiting.job.tenant, .account = waiting.job.account, .adopts = false};
  request.kind = waiting.job.kind;
  request.request_id = waiting.job.request_id;
  request.labels = waiting.job.labels;
  request.name = waiting.job.name;
  request.fingerprint = waiting.fingerprint;
  request.request = RequestOf(waiting);
  attempt->record = std::move(waiting);
  absl::Status busy;
  {
    MutexLock lock(mutex_);
    if (draining_) {
      busy = errors::Draining(std::chrono::seconds(1));
    } else if (!attempts_.emplace(attempt->key, attempt).second) {
      busy = absl::AbortedError("A caller's submit of this request_id is looking the job up");
    }
  }
  if (!busy.ok()) return attempt->waited(busy);
  if (request.request == nullptr) {
    return FailWaiting(attempt, "INTERNAL", "The stored request cannot be read");
  }
  Resolve(attempt);
}

absl::StatusOr<std::shared_ptr<void>> Submitter::HoldPartOfWaiting() {
  auto held = std::make_shared<int>();
  MutexLock lock(mutex_);
  if (!part_of_waiting_.expired()) {
    return errors::TooMany("large results that are read", 1, limits::kWaitingRetryFirst);
  }
  part_of_waiting_ = held;
  return held;
}

void Submitter::GiveUpWaiting(const AttemptPtr& attempt, absl::Status why) {
  if (MayPass(why)) return Finish(attempt, std::move(why));
  FailWaiting(attempt, errors::Reason(why), std::string(why.message()));
}

void Submitter::FailWaiting(const AttemptPtr& attempt, std::string code, std::string why) {
  Ledger::Change change{
      .record = NeverSent(attempt->record, std::move(code), std::move(why), clock_.WallNow())};
  ledger_.Update(std::move(change), [this, attempt](Ledger::Outcome stored) {
    if (!stored.status.ok()) return Finish(attempt, std::move(stored.status));
    Finish(attempt, std::move(stored.seen));
  });
}

}  // namespace gateway::jobs
