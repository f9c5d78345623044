// The second part of Submitter: the steps of a submission up to the POST, in the order they are
// taken, and its ends that need no POST.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/fail_point.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/fingerprint.h"
#include "jobs/notification.h"
#include "jobs/outcome.h"
#include "jobs/submitter.h"
#include "jobs/submitter_attempt.h"
#include "jobs/waiting_request.h"
#include "pictory/bindings.h"

namespace gateway::jobs {
namespace {

// The field by which a request waits for the job that it names; empty if it has none.
std::string WaitsFieldOf(const google::protobuf::Message& request) {
  const auto* const waits = pictory::FieldsOf(request.GetDescriptor()).waits;
  return waits == nullptr ? "" : std::string(waits->name());
}

}  // namespace

void Submitter::Resolve(const AttemptPtr& attempt) {
  pictory::Reference reference = pictory::ReferencedJob(*attempt->request.request);
  if (reference.job_id.empty()) return Translate(attempt, "", "");
  const std::string name = reference.job_id;
  adopter_.Load(
      attempt->request.owner, name,
      [this, attempt, reference = std::move(reference)](Answer referenced) {
        if (attempt->waited) {
          if (std::optional<WhyNever> why = WhyNeverSent(reference, referenced)) {
            return FailWaiting(attempt, std::move(why->code), std::move(why->words));
          }
        }
        if (!referenced.ok()) return AnswerFromRequestId(attempt, referenced.status());
        const Snapshot& job = **referenced;
        if (attempt->request.name.empty()) attempt->request.name = NameOf(job);
        owed_.Named(job.key());
        attempt->referenced_shard = job.shard;
        if (!job.may_be(reference.kind)) {
          return AnswerFromRequestId(
              attempt,
              errors::JobNotUsable(job.job_id(), "is a " + KindName(job.kind) + ", where " +
                                                     reference.field + " needs a " +
                                                     KindName(reference.kind)));
        }
        if (job.account != attempt->request.owner.account) {
          return AnswerFromRequestId(
              attempt,
              errors::JobNotUsable(job.job_id(), "was made with the Pictory account " +
                                                     job.account + ", and new jobs are made with " +
                                                     attempt->request.owner.account +
                                                     ", which does not know it"));
        }
        attempt->holds = attempt->request.waits && !IsFinal(job.state);
        if (job.state != v1::JOB_STATE_SUCCEEDED && !attempt->holds) {
          return AnswerFromRequestId(
              attempt,
              IsFinal(job.state)
                  ? errors::JobNotUsable(job.job_id(), "has ended as " + StateName(job.state) +
                                                           " and has no result to use")
                  : errors::JobNotFinished(job.job_id(), StateName(job.state),
                                           WaitsFieldOf(*attempt->request.request)));
        }
        PriceReferenced(attempt, *referenced);
      });
}

// The body of a render says only which preview it is made of, so what that one reserved counts.
void Submitter::PriceReferenced(const AttemptPtr& attempt, const SnapshotPtr& referenced) {
  if (attempt->request.kind != v1::JOB_KIND_RENDER) return SizeReferenced(attempt, *referenced);
  jobs_.Find(attempt->key.tenant, std::string(referenced->job_id()),
             [this, attempt, referenced](const absl::StatusOr<std::optional<JobRecord>>& found) {
               if (!found.ok()) return AnswerFromRequestId(attempt, found.status());
               if (found->has_value()) attempt->credits_of_preview = CreditsToRender(**found);
               SizeReferenced(attempt, *referenced);
             });
}

// Some submits name the job they refer to, others send a part of its result. The part's size is
// asked for first: the part stays in memory until Pictory has answered, so it is counted before it
// is read.
void Submitter::SizeReferenced(const AttemptPtr& attempt, const Snapshot& referenced) {
  if (attempt->holds) return Hold(attempt, referenced);
  Inline from{
      .job_id = std::string(referenced.job_id()),
      .pictory_id = std::string(referenced.pictory_job_id()),
      .part = pictory::PartToInline(*attempt->request.request, UpstreamOf(*attempt).translate()),
      .bytes = 0};
  if (from.part == v1::RESULT_PART_UNSPECIFIED) return Translate(attempt, from.pictory_id, "");
  const auto job_id = from.job_id;
  const auto part = from.part;
  jobs_.ReadPart(
      attempt->key.tenant, job_id, part, 0, 0,
      [this, attempt, from = std::move(from)](const absl::StatusOr<PartChunk>& size) mutable {
        if (!size.ok()) return AnswerFromRequestId(attempt, from.WhyNot(size.status()));
        from.bytes = size->total_bytes;
        if (from.bytes > static_cast<std::int64_t>(limits::kRequestMaxBytes)) {
          return AnswerFromRequestId(
              attempt,
              errors::JobNotUsable(
                  from.job_id,
                  "has a " + PartName(from.part) + " of " + std::to_string(from.bytes) +
                      " bytes, and Pictory's v1 API wants it in the body, of which at most " +
                      std::to_string(limits::kRequestMaxBytes) +
                      " bytes are sent; pass a part of it"));
        }
        ReadReferenced(attempt, from);
      });
}

absl::Status Submitter::Inline::WhyNot(const absl::Status& read) const {
  if (!absl::IsNotFound(read)) return read;
  return errors::JobNotUsable(job_id, "has no " + PartName(part) + " in its result");
}

void Submitter::ReadReferenced(const AttemptPtr& attempt, const Inline& from) {
  const auto bytes = static_cast<std::size_t>(from.bytes);
  if (bytes > limits::kSmallRequestMaxBytes && (attempt->waited || attempt->request.hold)) {
    absl::StatusOr<std::shared_ptr<void>> held =
        attempt->waited ? HoldPartOfWaiting() : attempt->request.hold(bytes);
    if (!held.ok()) return AnswerFromRequestId(attempt, held.status());
    attempt->part_held = *std::move(held);
  }
  jobs_.ReadPart(attempt->key.tenant, from.job_id, from.part, 0, from.bytes,
                 [this, attempt, from](absl::StatusOr<PartChunk> chunk) {
                   if (!chunk.ok())
                     return AnswerFromRequestId(attempt, from.WhyNot(chunk.status()));
                   Translate(attempt, from.pictory_id, std::move(chunk->data));
                 });
}

void Submitter::Translate(const AttemptPtr& attempt, std::string referenced_pictory_id,
                          std::string inlined) {
  const std::size_t bytes = attempt->request.request->ByteSizeLong() + inlined.size();
  if (!options_.aside || bytes <= limits::kSmallRequestMaxBytes) {
    return MakeBody(attempt, referenced_pictory_id, inlined);
  }
  // The text is shared, because a task must be copyable and a large part should not be copied.
  options_.aside([this, attempt, id = std::move(referenced_pictory_id),
                  part = std::make_shared<const std::string>(std::move(inlined))] {
    if (absl::Status gone = CheckCallers(*attempt); !gone.ok()) {
      return AnswerFromRequestId(attempt, std::move(gone));
    }
    MakeBody(attempt, id, *part);
  });
}

void Submitter::MakeBody(const AttemptPtr& attempt, std::string_view referenced_pictory_id,
                         std::string_view inlined) {
  attempt->token = RandomHex(16);
  const std::string webhook = options_.webhook_url ? options_.webhook_url(attempt->token) : "";
  absl::StatusOr<pictory::Submission> submission =
      pictory::Translate(*attempt->request.request, referenced_pictory_id, webhook,
                         UpstreamOf(*attempt).translate(), inlined);
  if (!submission.ok()) return AnswerFromRequestId(attempt, submission.status());
  attempt->submission = *std::move(submission);
  Authorize(attempt);
}

// Gets the credentials. An access token may have to be fetched. If SENDING were recorded by then, a
// process that dies while it waits would leave behind an unconfirmed job that was never sent.
void Submitter::Authorize(const AttemptPtr& attempt) {
  // A closed door has no credentials, and says why in its own words.
  if (UpstreamOf(*attempt).resting()) {
    return AnswerFromRequestId(attempt, UpstreamOf(*attempt).Refusal(Purpose::kSubmit));
  }
  UpstreamOf(*attempt).Authorize(
      [this, attempt](absl::StatusOr<pictory::Authorization> authorization) {
        if (!authorization.ok()) return AnswerFromRequestId(attempt, authorization.status());
        attempt->authorization = *std::move(authorization);
        Record(attempt);
      });
}

// Records the submission. If it is its turn, intent and sending are one commit; otherwise the
// intent is kept while it waits.
void Submitter::Record(const AttemptPtr& attempt) {
  if (absl::Status gone = CheckCallers(*attempt); !gone.ok()) {
    return AnswerFromRequestId(attempt, std::move(gone));
  }
  if (UpstreamOf(*attempt).resting())
    return AnswerFromRequestId(attempt, UpstreamOf(*attempt).Refusal(Purpose::kSubmit));
  attempt->credits = attempt->CreditsToReserve(attempt->submission);
  if (!attempt->waited) {
    if (absl::Status active = TakeActive(*attempt); !active.ok()) {
      return AnswerFromRequestId(attempt, std::move(active));
    }
  }
  const absl::StatusOr<MonoTime> counted =
      attempt->waited
          ? spending_.TakeReserved(attempt->key.tenant, attempt->credits_held, attempt->credits)
          : spending_.TryTake(attempt->key.tenant, attempt->credits);
  if (!counted.ok()) return AnswerFromRequestId(attempt, counted.status());
  attempt->counted_at = *counted;
  const bool ready = TakeTurn(*attempt);
  if (attempt->waited) return ready ? MarkSending(attempt) : AwaitTurn(attempt);
  const bool at_once = ready && !Contends(*attempt);
  JobRecord record =
      NewRecord(*attempt, at_once ? SubmissionState::kSending : SubmissionState::kIntent,
                PickShard(*attempt));
  attempt->sending_at = clock_.BootNow();
  ledger_.Begin(std::move(record), [this, attempt, at_once](absl::StatusOr<BeginResult> begun) {
    if (!begun.ok() || !begun->begun) {
      attempt->turn.reset();
      Refund(*attempt);
      if (!begun.ok()) return Finish(attempt, begun.status());
      NoteRepeated(*attempt, begun->record);
      return AnswerFromRecord(attempt, begun->record);
    }
    attempt->record = std::move(begun->record);
    if (at_once) return Send(attempt);
    FailPoint("intent-stored");
    if (!Contends(*attempt)) return AwaitTurn(attempt);
    Contend(attempt, [this, attempt] {
      attempt->turn.has_value() ? MarkSending(attempt) : AwaitTurn(attempt);
    });
  });
}

// Each process has an equal part of the account's budget, so jobs that one of them cannot poll as
// often as they should be are looked after by all.
std::int32_t Submitter::PickShard(const Attempt& attempt) const {
  const bool many = options_.has_many && options_.has_many(attempt.request.owner.account);
  return shards_.Pick(random_, many ? Shards::Among::kAll : Shards::Among::kOwn);
}

// Those being submitted count too, and this one from now on, or a crowd of submits could pass the
// limit at once.
absl::Status Submitter::TakeActive(Attempt& attempt) {
  const std::string& tenant = attempt.key.tenant;
  if (!spending_.LimitsActive(tenant)) return absl::OkStatus();
  std::size_t active = options_.active_jobs ? options_.active_jobs(tenant) : 0;
  MutexLock lock(mutex_);
  for (const auto& [key, other] : attempts_) {
    if (key.tenant == tenant && other->active && other.get() != &attempt) ++active;
  }
  absl::Status may = spending_.CheckActive(tenant, active);
  attempt.active = may.ok();
  return may;
}

// A job that has waited waits on, unless its callers know it as UNCONFIRMED already. One that does
// not come to wait gives its place back.
void Submitter::Refund(const Attempt& attempt) {
  if (attempt.place > 0) {
    return waiting_.GiveBack(attempt.key, attempt.place, attempt.credits);
  }
  if (attempt.waited && !attempt.told.has_value()) {
    return spending_.WaitAgain(attempt.key.tenant, attempt.counted_at, attempt.credits_held,
                               attempt.credits);
  }
  spending_.Refund(attempt.key.tenant, attempt.counted_at, attempt.credits);
}

Upstream& Submitter::UpstreamOf(Attempt& attempt) {
  if (attempt.upstream == nullptr) {
    attempt.upstream = upstreams_.Of(attempt.request.owner.account);
  }
  return *attempt.upstream;
}

bool Submitter::TakeTurn(Attempt& attempt) {
  attempt.turn = UpstreamOf(attempt).TryTake(Purpose::kSubmit, attempt.key.tenant);
  return attempt.turn.has_value();
}

void Submitter::AwaitTurn(const AttemptPtr& attempt) {
  const MonoTime give_up =
      std::min(clock_.Now() + UpstreamOf(*attempt).patience(), DeadlineOf(*attempt));
  UpstreamOf(*attempt).AwaitTurn(Purpose::kSubmit, attempt->key.tenant, give_up,
                                 [this, attempt](absl::StatusOr<Upstream::Turn> turn) {
                                   if (absl::Status gone = CheckCallers(*attempt); !gone.ok()) {
                                     return GiveUpUnsent(attempt, gone);
                                   }
                                   if (!turn.ok()) return GiveUpUnsent(attempt, turn.status());
                                   attempt->turn = *std::move(turn);
                                   MarkSending(attempt);
                                 });
}

void Submitter::MarkSending(const AttemptPtr& attempt) {
  if (spending_.stopped()) {  // since it was counted, and it may have been in line for long
    attempt->turn.reset();
    return GiveUpUnsent(attempt, errors::SubmitsStopped(limits::kSpendingRetry));
  }
  attempt->record.submission = SubmissionState::kSending;
  attempt->record.sent_at = clock_.WallNow();
  attempt->sending_at = clock_.BootNow();
  if (attempt->waited) {
    OweElsewhere(attempt->record);
    attempt->record.owner_epoch = options_.epoch;
    attempt->record.correlation_token = attempt->token;
    attempt->record.credits_reserved = attempt->credits;
    owed_.Note(attempt->record);
  }
  Store(attempt, [this, attempt](const absl::Status& stored) {
    if (stored.ok()) return Send(attempt);
    attempt->turn.reset();
    if (attempt->waited) attempt->record = WaitingOn(attempt->record);  // as it is stored still
    GiveUpUnsent(attempt, stored);
  });
}

void Submitter::Send(const AttemptPtr& attempt) {
  FailPoint("sending-stored");
  bool too_late;
  {
    MutexLock lock(mutex_);
    too_late = draining_;  // nobody would be told of it
    if (!too_late) attempt->stage = Attempt::Stage::kSent;
  }
  if (too_late) {
    attempt->turn.reset();
    return StoreOutcome(attempt, {.outcome = pictory::SubmitReply::Outcome::kNotSent,
                                  .error = errors::Draining(std::chrono::seconds(1))});
  }
  if (options_.send_traceparent) {
    attempt->submission.traceparent = Traceparent(ReadStoredTrace(attempt->record.job.trace));
  }
  if (!shards_.alone()) {
    attempt->submission.may_send = [this, until = attempt->sending_at + limits::kSendWithin] {
      return clock_.BootNow() <= until;
    };
  }
  Upstream::Turn turn = *std::exchange(attempt->turn, std::nullopt);
  UpstreamOf(*attempt).Submit(
      std::move(turn), attempt->submission, attempt->authorization,
      clock_.Now() + limits::kSubmitBudgetMaxWait,
      [this, attempt](pictory::SubmitReply reply) { OnReply(attempt, std::move(reply)); });
}

void Submitter::Store(const AttemptPtr& attempt, StoreDone done) {
  ledger_.Update({.record = attempt->record, .hidden = true},
                 [attempt, done = std::move(done)](const Ledger::Outcome& outcome) {
                   if (outcome.status.ok()) attempt->record.version = outcome.record.version;
                   done(outcome.status);
                 });
}

void Submitter::StoreAtLast(const AttemptPtr& attempt, StoreDone done) {
  Store(attempt, [this, attempt, done = std::move(done)](const absl::Status& stored) {
    const bool kept = late_writes_.Keep(stored, attempt->tries,
                                        [this, attempt, done] { StoreAtLast(attempt, done); });
    if (!kept) done(stored);
  });
}

// Answers a submit that cannot go on. It may be the retry of one that did: then the first one's
// answer counts.
void Submitter::AnswerFromRequestId(const AttemptPtr& attempt, absl::Status otherwise) {
  if (attempt->waited) return GiveUpWaiting(attempt, std::move(otherwise));
  submissions_.FindRequest(
      attempt->key.tenant, attempt->key.id,
      [this, attempt,
       otherwise = std::move(otherwise)](absl::StatusOr<std::optional<JobRecord>> found) {
        // Whether it is one is not known, so neither is that it was not sent.
        if (!found.ok()) return Finish(attempt, found.status());
        if (!found->has_value() || (*found)->submission == SubmissionState::kNotSent) {
          return Finish(attempt, otherwise);
        }
        NoteRepeated(*attempt, **found);
        AnswerFromRecord(attempt, **found);
      });
}

void Submitter::NoteRepeated(const Attempt& attempt, const JobRecord& record) const {
  if (attempt.request.minted_request_id) return;
  if (SameRequest(record.fingerprint, attempt.request.fingerprint)) {
    CountRepeated(attempt.key.tenant);
  }
}

void Submitter::CountRepeated(const std::string& tenant) const {
  spending_.NoteRepeated(tenant);
  if (events_.request_id_repeated) events_.request_id_repeated();
}

void Submitter::AnswerFromRecord(const AttemptPtr& attempt, const JobRecord& record) {
  if (!SameRequest(record.fingerprint, attempt->request.fingerprint)) {
    return Finish(attempt, errors::RequestIdReused(attempt->key.id, record.job.job_id));
  }
  switch (record.submission) {
    case SubmissionState::kRejected:
      return Finish(attempt, DecodeRefusal(record.refusal));
    case SubmissionState::kAccepted:
    case SubmissionState::kUnknown:
    case SubmissionState::kAbandoned:
    case SubmissionState::kWaiting:
      return hub_.Load(attempt->key.tenant, record.job.job_id,
                       [this, attempt](Answer answer) { Finish(attempt, std::move(answer)); });
    case SubmissionState::kDeleted:
      return Finish(attempt, MakeSnapshot(record.job));
    case SubmissionState::kIntent:
    case SubmissionState::kSending:
    case SubmissionState::kNotSent:
      if (IsVisible(record)) {  // it has waited, and an attempt without callers has just ended
        return hub_.Load(attempt->key.tenant, record.job.job_id,
                         [this, attempt](Answer answer) { Finish(attempt, std::move(answer)); });
      }
      if (!shards_.alone()) return AwaitPeer(attempt, record);
      // An attempt whose outcome could not be stored left this record behind; a restart makes it
      // UNCONFIRMED or not sent.
      return Finish(
          attempt,
          errors::Internal("An earlier attempt of request_id " + attempt->key.id +
                           " is unconfirmed; do not resubmit, its job is " + record.job.job_id));
  }
}

void Submitter::AwaitPeer(const AttemptPtr& attempt, const JobRecord& record) {
  // Nothing was sent by it, so that this one runs in its place.
  if (record.submission == SubmissionState::kNotSent) return RunInPlace(attempt);
  const absl::Status gone = CheckCallers(*attempt);
  const MonoTime deadline = DeadlineOf(*attempt);
  const MonoTime next = clock_.Now() + limits::kPeerLook;
  if (!gone.ok() || deadline - limits::kPeerAnswerBefore < next) {
    return LeavePeer(attempt, record, gone);
  }
  timers_.At(next, [this, attempt] {
    submissions_.FindRequest(
        attempt->key.tenant, attempt->key.id,
        [this, attempt](const absl::StatusOr<std::optional<JobRecord>>& found) {
          if (!found.ok()) return Finish(attempt, found.status());
          if (!found->has_value()) return RunInPlace(attempt);
          AnswerFromRecord(attempt, **found);
        });
  });
}

// The callers cannot wait for what the other process hears of Pictory.
void Submitter::LeavePeer(const AttemptPtr& attempt, const JobRecord& record,
                          const absl::Status& gone) {
  if (record.submission != SubmissionState::kSending) {
    return Finish(attempt, gone.ok()
                               ? errors::Overloaded("submits of this request_id at another gateway",
                                                    limits::kRetryAfterMin)
                               : gone);
  }
  attempt->record = record;
  // Who is gone hears nothing, and whom a drain sends away joins the attempt again elsewhere.
  const bool tells = gone.ok() || absl::IsDeadlineExceeded(gone);
  tells ? CallUnconfirmed(attempt) : Finish(attempt, gone);
}

// It may have been sent, so callers learn of an UNCONFIRMED job. It is one from now on for whoever
// looks, or it could vanish again; the other process finds it so, and says what became of it.
void Submitter::CallUnconfirmed(const AttemptPtr& attempt) {
  const pictory::SubmitReply unknown{.outcome = pictory::SubmitReply::Outcome::kUnknown};
  Ledger::Change change{.record = AfterReply(attempt->record, unknown, clock_.WallNow())};
  change.stored = [this, attempt](const JobRecord& record) {
    owed_.Answered(attempt->key, record.job.job_id);
  };
  ledger_.Update(std::move(change), [this, attempt](Ledger::Outcome stored) {
    // The other process has said more meanwhile.
    if (absl::IsAborted(stored.status)) return AnswerFromRecord(attempt, stored.record);
    if (!stored.status.ok()) return Finish(attempt, std::move(stored.status));
    attempt->record = std::move(stored.record);
    Finish(attempt, std::move(stored.seen));
  });
}

// Ends an attempt that was recorded but certainly not sent: the record says so before the caller
// hears of it, and a retry runs.
void Submitter::GiveUpUnsent(const AttemptPtr& attempt, absl::Status why) {
  Refund(*attempt);
  attempt->place = 0;
  if (attempt->waited) return GiveUpWaiting(attempt, std::move(why));
  attempt->record.submission = SubmissionState::kNotSent;
  attempt->record.waiting_request.clear();
  DropBody(*attempt);
  if (absl::IsAborted(why)) {
    // Another process has taken this one for gone, and has ended the attempt. Who repeats it may
    // have begun it again.
    return AnswerFromRequestId(
        attempt, errors::Overloaded("submits of this request_id", limits::kRetryAfterMin));
  }
  StoreAtLast(attempt,
              [this, attempt, why = std::move(why)](const absl::Status&) { Finish(attempt, why); });
}

JobRecord Submitter::NewRecord(const Attempt& attempt, SubmissionState state, std::int32_t shard) {
  const WallTime now = clock_.WallNow();
  JobRecord record;
  record.job.tenant = attempt.key.tenant;
  record.job.account = attempt.request.owner.account;
  record.job.job_id = MintJobId(now, random_);
  record.job.request_id = attempt.key.id;
  record.job.kind = attempt.request.kind;
  record.job.state = v1::JOB_STATE_UNSPECIFIED;
  record.job.create_time = record.job.update_time = now;
  record.job.labels = attempt.request.labels;
  record.job.name = attempt.request.name;
  record.credits_reserved = attempt.credits;
  record.job.sandbox = options_.sandbox;
  record.job.shard = shard;
  record.job.trace = StoredTrace(attempt.request.trace);
  record.submission = state;
  record.fingerprint = attempt.request.fingerprint;
  record.owner_epoch = options_.epoch;
  record.correlation_token = attempt.token;
  if (state == SubmissionState::kSending) record.sent_at = now;
  if (!attempt.request.notify_url.empty()) {
    v1::Notification notification;
    notification.set_url(attempt.request.notify_url);
    SetNotification(notification, record);
  }
  record.minted_request_id = attempt.request.minted_request_id;
  record.mesh_request_id = attempt.request.retry.mesh_request_id;
  return record;
}

}  // namespace gateway::jobs
