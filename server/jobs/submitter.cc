// The first part of Submitter: which submits are one and the same, and what every caller is told.
// The steps of a submission are in submitter_steps.cc, what is done with Pictory's answer is in
// submitter_outcome.cc, what is done about jobs that wait in submitter_waiting.cc, and about equal
// submits of other processes in submitter_equal.cc.
#include "jobs/submitter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/fingerprint.h"
#include "jobs/outcome.h"
#include "jobs/submitter_attempt.h"

namespace gateway::jobs {

Submitter::Submitter(SubmitterOptions options, const Shards& shards, Upstreams& upstreams,
                     Spending& spending, OwedAnswers& owed, WaitingJobs& waiting, Ledger& ledger,
                     Submissions& submissions, Sharing& sharing, Jobs& jobs, Hub& hub,
                     Adopter& adopter, const Clock& clock, Timers& timers, Random& random,
                     SubmitEvents events)
    : options_(std::move(options)),
      shards_(shards),
      upstreams_(upstreams),
      spending_(spending),
      owed_(owed),
      waiting_(waiting),
      ledger_(ledger),
      submissions_(submissions),
      sharing_(sharing),
      jobs_(jobs),
      hub_(hub),
      adopter_(adopter),
      clock_(clock),
      timers_(timers),
      random_(random),
      events_(std::move(events)),
      late_writes_(clock, timers) {}

// Meshes retry without asking. So if a call's metadata say that it may be a retry, the earlier call
// is looked for first.
void Submitter::Submit(SubmitRequest request, Done done) {
  if (!request.minted_request_id) {
    Waiter waiter{std::move(done), {}, request.deadline, request.cancelled};
    return Start(std::move(request), std::move(waiter));
  }
  using Id = OwedAnswers::Id;
  if (std::optional<std::string> equal =
          waiting_.FindEqual(request.owner.tenant, request.fingerprint)) {
    request.request_id = *std::move(equal);
    return Identify(std::move(request), Id::kWaiting, std::move(done));
  }
  if (!request.retry.any()) return LookElsewhere(std::move(request), Id::kMinted, std::move(done));
  const std::string tenant = request.owner.tenant, fingerprint = request.fingerprint;
  const RetryEvidence retry = request.retry;
  submissions_.FindWithoutRequestId(
      tenant, fingerprint, retry, clock_.WallNow() - limits::kMeshRetryWindow,
      [this, request = std::move(request),
       done = std::move(done)](const absl::StatusOr<std::optional<JobRecord>>& earlier) mutable {
        if (!earlier.ok()) {  // not known means not safe to send
          owed_.Wanted(request.owner.tenant, request.fingerprint);
          return done(earlier.status(), {});
        }
        if (!earlier->has_value())
          return LookElsewhere(std::move(request), Id::kMinted, std::move(done));
        const JobRecord& record = **earlier;
        request.request_id = record.job.request_id;
        // What was not sent gives nobody a job: then an equal submit that runs counts more.
        const bool begun = record.submission != SubmissionState::kNotSent;
        if (begun && request.retry.IsCertain(record.mesh_request_id)) {
          return Identify(std::move(request), Id::kRepeated, std::move(done));
        }
        LookElsewhere(std::move(request), Id::kEarlier, std::move(done));
      });
}

// An equal submit that is running or owed counts more than what the metadata may mean.
void Submitter::Identify(SubmitRequest request, OwedAnswers::Id id, Done done) {
  OwedAnswers::Verdict verdict =
      owed_.Ask(request.owner.tenant, request.fingerprint, request.request_id, id);
  if (verdict.call == nullptr) {
    return done(errors::TooMany("answers to submits without a request_id that may not have arrived",
                                limits::kOwedAnswersMax, limits::kKeylessSettle),
                {});
  }
  Waiter waiter{std::move(done), {}, request.deadline, request.cancelled};
  waiter.source.rule = verdict.rule;
  waiter.source.call = std::move(verdict.call);
  request.request_id = verdict.request_id;
  if (verdict.claim.has_value()) {
    return TakeClaim(std::move(request), *std::move(verdict.claim), std::move(waiter));
  }
  Start(std::move(request), std::move(waiter));
}

void Submitter::TakeClaim(SubmitRequest request, OwedAnswers::Claim claim, Waiter waiter) {
  submissions_.Claim(claim, [this, request = std::move(request), waiter = std::move(waiter)](
                                const absl::StatusOr<bool>& taken) mutable {
    const JobKey key{request.owner.tenant, request.request_id};
    if (!taken.ok()) {
      owed_.NotClaimed(key);
      return waiter.done(taken.status(), {});
    }
    if (*taken) {
      owed_.Claimed(key);
      return Start(std::move(request), std::move(waiter));
    }
    // The job is not owed any more, so the submit begins anew, as if that job had never been owed.
    owed_.Lost(key);
    request.request_id = MintRequestId(random_);
    Submit(std::move(request), std::move(waiter.done));
  });
}

void Submitter::Start(SubmitRequest request, Waiter waiter) {
  auto attempt = std::make_shared<Attempt>();
  attempt->key = JobKey{request.owner.tenant, request.request_id};
  if (waiter.source.rule != AnswerRule::kOwn && waiter.source.request_id.empty()) {
    waiter.source.request_id = request.request_id;
    spending_.NoteRepeated(attempt->key.tenant);
    if (events_.repeated) events_.repeated(waiter.source.rule, request);
  }
  const bool minted = request.minted_request_id;
  absl::Status refused;
  std::string waiting_job;
  bool joins = false;
  bool repeats = false;
  {
    MutexLock lock(mutex_);
    const auto running = attempts_.find(attempt->key);
    if (running != attempts_.end()) {
      Attempt& joined = *running->second;
      const bool same = SameRequest(joined.request.fingerprint, request.fingerprint);
      repeats = same && !minted;
      if (!same) {
        refused = errors::RequestIdReused(request.request_id, "being submitted now");
      } else if (joined.waited) {
        waiting_job = joined.waited_job_id;  // callers can see it
        owed_.Answered(attempt->key, waiting_job);
      } else if (joined.stage == Attempt::Stage::kTold) {
        refused = errors::Draining(std::chrono::seconds(1));
      } else {
        joined.waiting.push_back(std::exchange(waiter, {}));
        joins = true;
      }
    } else if (draining_) {
      refused = errors::Draining(std::chrono::seconds(1));
    } else {
      attempt->request = std::move(request);
      attempt->waiting.push_back(std::move(waiter));
      attempts_.emplace(attempt->key, attempt);
      owed_.Begun(attempt->key, attempt->request.fingerprint, minted);
    }
    if (!refused.ok() && minted && running == attempts_.end()) owed_.Dropped(attempt->key);
  }
  if (!refused.ok()) return waiter.done(refused, {});
  if (repeats) CountRepeated(attempt->key.tenant);
  if (joins) return;
  if (!waiting_job.empty()) {
    const std::string tenant = attempt->key.tenant;
    return hub_.Load(tenant, waiting_job, [waiter = std::move(waiter)](const Answer& answer) {
      waiter.done(answer, waiter.source);
    });
  }
  Resolve(attempt);
}

void Submitter::AnswerUnconfirmed() {
  std::vector<AttemptPtr> sent;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    for (const auto& [key, attempt] : attempts_) {
      // Nobody waits for the answer about a job that has waited, and it may be that nothing was
      // sent.
      if (attempt->stage != Attempt::Stage::kSent || attempt->waited) continue;
      attempt->stage = Attempt::Stage::kTelling;
      sent.push_back(attempt);
    }
  }
  for (const AttemptPtr& attempt : sent) TellUnconfirmed(attempt);
  late_writes_.End();
}

void Submitter::TellUnconfirmedLater(const AttemptPtr& attempt) {
  {
    MutexLock lock(mutex_);
    if (attempt->stage != Attempt::Stage::kSent) return;  // Pictory has answered meanwhile
    attempt->stage = Attempt::Stage::kTelling;
  }
  TellUnconfirmed(attempt);
}

// Tells the callers that the job is unconfirmed. Pictory's answer is held meanwhile, so that it
// finds the record as callers know it.
void Submitter::TellUnconfirmed(const AttemptPtr& attempt) {
  const pictory::SubmitReply unknown{.outcome = pictory::SubmitReply::Outcome::kUnknown};
  Ledger::Change change{.record = AfterReply(attempt->record, unknown, clock_.WallNow())};
  change.stored = [this, attempt](const JobRecord& record) {
    owed_.Answered(attempt->key, record.job.job_id);
  };
  ledger_.Update(std::move(change), [this, attempt](const Ledger::Outcome& outcome) {
    // Another process may have told so before, and somebody may have decided since.
    const bool known = absl::IsAborted(outcome.status) && !IsInFlight(outcome.record.submission);
    const bool told = outcome.status.ok() || known;
    const SnapshotPtr seen = known ? MakeSnapshot(outcome.record.job) : outcome.seen;
    if (known) owed_.Answered(attempt->key, outcome.record.job.job_id);
    std::vector<Waiter> waiting;
    std::optional<pictory::SubmitReply> held;
    {
      MutexLock lock(mutex_);
      if (told) {
        attempt->told = outcome.record;
        waiting.swap(attempt->waiting);
      }
      held.swap(attempt->held);
      attempt->stage = held.has_value() ? Attempt::Stage::kAnswered
                       : told           ? Attempt::Stage::kTold
                                        : Attempt::Stage::kSent;
      if (held.has_value() && attempt->told.has_value()) attempt->record = outcome.record;
    }
    for (const Waiter& waiter : waiting) waiter.done(seen, waiter.source);
    if (held.has_value()) return TakeReply(attempt, *std::move(held));
    late_writes_.Keep(outcome.status, attempt->telling_tries,
                      [this, attempt] { TellUnconfirmedLater(attempt); });
  });
}

// Whether anybody still waits for the attempt: one caller who is there and has enough time is
// sufficient. A job that has waited needs nobody.
absl::Status Submitter::CheckCallers(const Attempt& attempt) const {
  {
    MutexLock lock(mutex_);
    if (draining_) return errors::Draining(std::chrono::seconds(1));
  }
  if (attempt.waited) return absl::OkStatus();
  const MonoTime deadline = DeadlineOf(attempt);
  if (deadline == MonoTime::min()) return errors::Cancelled();
  const MonoTime now = clock_.Now();
  if (deadline < now + limits::kMinTimeToSend) {
    return errors::DeadlineTooShort(std::max(Duration::zero(), deadline - now),
                                    limits::kMinTimeToSend);
  }
  return absl::OkStatus();
}

// The latest deadline of the callers who are there; min() if nobody is.
MonoTime Submitter::DeadlineOf(const Attempt& attempt) const {
  if (attempt.waited) return MonoTime::max();
  MonoTime latest = MonoTime::min();
  MutexLock lock(mutex_);
  for (const Waiter& waiter : attempt.waiting) {
    if (!waiter.gone()) latest = std::max(latest, waiter.deadline);
  }
  return latest;
}

std::vector<Submitter::Waiter> Submitter::End(const AttemptPtr& attempt, const std::string& job_id,
                                              std::function<void()>& idle) {
  std::vector<Waiter> waiting;
  MutexLock lock(mutex_);
  // This happens in one step with the end of the attempt: who asked in between would join an
  // attempt that is over.
  if (!attempt->waited) {
    job_id.empty() ? owed_.Dropped(attempt->key) : owed_.Answered(attempt->key, job_id);
  }
  attempts_.erase(attempt->key);
  waiting.swap(attempt->waiting);
  if (draining_ && attempts_.empty()) idle = std::exchange(idle_, nullptr);
  return waiting;
}

void Submitter::Finish(const AttemptPtr& attempt, const Answer& answer) {
  // Submits without a request_id are owed only if there is a job, or may be one.
  const std::string job_id = answer.ok() ? std::string((*answer)->job_id())
                             : CanBeOwed(attempt->record.submission) ? attempt->record.job.job_id
                                                                     : "";
  std::function<void()> idle;
  std::vector<Waiter> waiting = End(attempt, job_id, idle);
  // The attempt was given up because nobody was there, or had time; somebody may have come at the
  // last moment.
  const bool given_up =
      absl::IsCancelled(answer.status()) || absl::IsDeadlineExceeded(answer.status());
  for (Waiter& waiter : waiting) {
    const bool came_late =
        given_up && !waiter.gone() && waiter.deadline >= clock_.Now() + limits::kMinTimeToSend;
    came_late ? Start(attempt->request, std::move(waiter)) : waiter.done(answer, waiter.source);
  }
  if (attempt->waited) attempt->waited(answer.status());
  if (idle) idle();
}

void Submitter::Drain(std::function<void()> idle) {
  {
    MutexLock lock(mutex_);
    draining_ = true;
    if (!attempts_.empty()) idle_ = std::exchange(idle, nullptr);
  }
  if (idle) return idle();
  late_writes_.End();
}

std::size_t Submitter::running() const {
  MutexLock lock(mutex_);
  return attempts_.size();
}

}  // namespace gateway::jobs
