// The third part of Submitter: what is done with Pictory's answer to a request that was sent.
#include <utility>

#include "base/errors.h"
#include "base/fail_point.h"
#include "jobs/outcome.h"
#include "jobs/submitter.h"
#include "jobs/submitter_attempt.h"

namespace gateway::jobs {

using Outcome = pictory::SubmitReply::Outcome;

namespace {

// The outcome of a change that the record says already, so that no write is needed.
Ledger::Outcome Unchanged(JobRecord record) {
  SnapshotPtr seen = MakeSnapshot(record.job);
  return {.status = absl::OkStatus(), .record = std::move(record), .seen = std::move(seen)};
}

// Whether Pictory accepted the request as one job, and the record has been given another meanwhile.
bool IsOfAnother(const JobRecord& record, const pictory::SubmitReply& reply) {
  return reply.outcome == Outcome::kAccepted && record.job.pictory_job_id != reply.pictory_job_id;
}

// Whether `id` is only an echo of the request. What an error repeats of it, such as the job to be
// rendered, is not the job that the request has made.
bool IsEcho(const pictory::Submission& submission, const std::string& id) {
  const auto has = [&id](std::string_view text) { return text.find(id) != std::string_view::npos; };
  return has(submission.path) || (submission.body != nullptr && has(*submission.body));
}

}  // namespace

void Submitter::OnReply(const AttemptPtr& attempt, pictory::SubmitReply reply) {
  FailPoint("answer-read");
  if (events_.replied) events_.replied(attempt->record, reply);
  {
    MutexLock lock(mutex_);
    if (attempt->stage == Attempt::Stage::kTelling) {
      attempt->held = std::move(reply);
      return;
    }
    attempt->stage = Attempt::Stage::kAnswered;
    if (attempt->told.has_value()) attempt->record = *attempt->told;
  }
  TakeReply(attempt, std::move(reply));
}

void Submitter::TakeReply(const AttemptPtr& attempt, pictory::SubmitReply reply) {
  if (reply.token_refused && !attempt->sent_again && !attempt->told.has_value())
    return SendAgain(attempt, reply);
  if (!reply.hinted_job_id.empty()) return KeepHint(attempt, std::move(reply));
  StoreOutcome(attempt, std::move(reply));
}

// Keeps the id as a hint, like the ids in webhook calls. If the store cannot keep it, the hint is
// lost with the process.
void Submitter::KeepHint(const AttemptPtr& attempt, pictory::SubmitReply reply) {
  if (IsEcho(attempt->submission, reply.hinted_job_id))
    return StoreOutcome(attempt, std::move(reply));
  const JobKey job{attempt->record.job.tenant, attempt->record.job.job_id};
  if (events_.hinted) events_.hinted(job, reply.hinted_job_id);
  submissions_.KeepHints(job, {reply.hinted_job_id}, [this, attempt, reply](const absl::Status&) {
    StoreOutcome(attempt, reply);
  });
}

// However long it takes to store what came of it, what was to be sent is not needed any more.
void Submitter::DropBody(Attempt& attempt) {
  attempt.submission = {};
  attempt.part_held.reset();
}

void Submitter::StoreOutcome(const AttemptPtr& attempt, pictory::SubmitReply reply) {
  DropBody(*attempt);
  JobRecord outcome = AfterReply(attempt->record, reply, clock_.WallNow());
  if (outcome == attempt->record)
    return OnOutcomeStored(attempt, reply, Unchanged(std::move(outcome)));
  // Somebody may have given the job up before Pictory answered.
  Ledger::Change change{.record = std::move(outcome), .ended = IsFinal(attempt->record.job.state)};
  change.stored = [this, attempt](const JobRecord& record) {
    if (!CanBeOwed(record.submission)) return;
    FailPoint("accepted-stored");
    // This is told before anything can change the record again, because a change must not note yet
    // that the answer has arrived.
    owed_.Answered(attempt->key, record.job.job_id);
  };
  ledger_.Update(
      std::move(change), [this, attempt, reply = std::move(reply)](Ledger::Outcome stored) mutable {
        if (absl::IsAborted(stored.status)) {
          // Another process has told callers that the job is UNCONFIRMED, or they knew it so and
          // somebody has decided about it. That is in the record now, and the answer is applied to
          // it.
          attempt->record = std::move(stored.record);
          return StoreOutcome(attempt, std::move(reply));
        }
        if (reply.outcome == Outcome::kAccepted && absl::IsAlreadyExists(stored.status)) {
          // The id of another job says nothing of what became of this request.
          if (events_.foreign) events_.foreign(attempt->record, reply.pictory_job_id);
          reply.outcome = Outcome::kUnknown;
          return StoreOutcome(attempt, std::move(reply));
        }
        const bool kept = late_writes_.Keep(stored.status, attempt->tries, [this, attempt, reply] {
          StoreOutcome(attempt, reply);
        });
        if (kept) return;
        OnOutcomeStored(attempt, reply, std::move(stored));
      });
}

// Sends the request again after a 401. The refused attempt is over, and the record says so before a
// new token is fetched: from here to the next SENDING nothing is unconfirmed. MarkSending records
// the next attempt before it is sent.
void Submitter::SendAgain(const AttemptPtr& attempt, const pictory::SubmitReply& refusal) {
  attempt->sent_again = true;
  const JobRecord sent = attempt->record;
  if (attempt->waited) {
    attempt->record = WaitingOn(attempt->record);
  } else {
    attempt->record.submission = SubmissionState::kIntent;
  }
  ++attempt->record.attempt;
  StoreAtLast(attempt, [this, attempt, sent, refusal](const absl::Status& stored) {
    if (absl::IsAborted(stored)) {  // callers know it as UNCONFIRMED, and that is never sent again
      attempt->record = sent;
      return StoreOutcome(attempt, refusal);
    }
    if (!stored.ok()) {  // nothing was billed
      Refund(*attempt);
      return Finish(attempt, refusal.error);
    }
    UpstreamOf(*attempt).Authorize(
        [this, attempt](absl::StatusOr<pictory::Authorization> authorization) {
          if (!authorization.ok()) return GiveUpUnsent(attempt, authorization.status());
          if (absl::Status gone = CheckCallers(*attempt); !gone.ok())
            return GiveUpUnsent(attempt, gone);
          attempt->authorization = *std::move(authorization);
          TakeTurn(*attempt) ? MarkSending(attempt) : AwaitTurn(attempt);
        });
  });
}

void Submitter::OnOutcomeStored(const AttemptPtr& attempt, const pictory::SubmitReply& reply,
                                Ledger::Outcome outcome) {
  attempt->record = std::move(outcome.record);
  if (reply.outcome == Outcome::kRefused || reply.outcome == Outcome::kNotSent) {
    // Nothing was billed, whether or not that could be stored.
    Refund(*attempt);
    // Callers know a job that has waited, or that was UNCONFIRMED, and the record says what became
    // of it.
    const bool failed = outcome.status.ok() && IsVisible(attempt->record) &&
                        attempt->record.submission != SubmissionState::kWaiting;
    return failed ? Finish(attempt, std::move(outcome.seen)) : Finish(attempt, reply.error);
  }
  if (!outcome.status.ok()) {
    // The record stays SENDING, so a restart makes it UNCONFIRMED: never sent again.
    return Finish(
        attempt,
        errors::Internal("The job was sent to Pictory, but its outcome could not be stored; do "
                         "not resubmit, job " +
                         attempt->record.job.job_id + " shows up as UNCONFIRMED"));
  }
  if (IsOfAnother(attempt->record, reply) && events_.foreign) {
    events_.foreign(attempt->record, reply.pictory_job_id);
  }
  Finish(attempt, std::move(outcome.seen));
}

}  // namespace gateway::jobs
