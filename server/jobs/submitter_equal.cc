// The fifth part of Submitter: submits without a request_id whose equal may be under way, or owed,
// in another process with the same store (jobs/equal_submits.h).
#include <utility>

#include "base/ids.h"
#include "base/limits.h"
#include "jobs/equal_submits.h"
#include "jobs/submitter.h"
#include "jobs/submitter_attempt.h"

namespace gateway::jobs {

bool Submitter::Contends(const Attempt& attempt) const {
  return attempt.request.minted_request_id && !shards_.alone();
}

EqualQuery Submitter::EqualTo(const SubmitRequest& request) const {
  return {.tenant = request.owner.tenant,
          .fingerprint = request.fingerprint,
          .but_of = options_.epoch,
          .since = clock_.WallNow() - limits::kEqualElsewhere};
}

// Before anything is recorded or counted: mostly another's record is there already.
void Submitter::LookElsewhere(SubmitRequest request, OwedAnswers::Id id, Done done) {
  if (shards_.alone()) return Identify(std::move(request), id, std::move(done));
  EqualQuery equal = EqualTo(request);
  sharing_.FindEqual(std::move(equal),
                     [this, request = std::move(request), id, done = std::move(done)](
                         const absl::StatusOr<std::vector<JobRecord>>& found) mutable {
                       if (!found.ok()) {  // not known means not safe to send
                         owed_.Wanted(request.owner.tenant, request.fingerprint);
                         return done(found.status(), {});
                       }
                       const JobRecord* const first = FirstToRepeat(*found);
                       if (first == nullptr)
                         return Identify(std::move(request), id, std::move(done));
                       request.request_id = first->job.request_id;
                       Identify(std::move(request), AsRepeated(*first), std::move(done));
                     });
}

// Goes on with a recorded intent once no other process has an equal submit, or gives way to it.
void Submitter::Contend(const AttemptPtr& attempt, std::function<void()> go_on) {
  EqualQuery equal = EqualTo(attempt->request);
  equal.waits_in = attempt->referenced_shard;
  sharing_.FindEqual(
      std::move(equal), [this, attempt, go_on = std::move(go_on)](
                            const absl::StatusOr<std::vector<JobRecord>>& found) mutable {
        const Contest contest = found.ok() ? ContestOf(attempt->record, *found) : Contest{};
        if (found.ok() && contest.end == Contest::End::kGoOn) return go_on();
        attempt->turn.reset();
        if (!found.ok()) return GiveUpUnsent(attempt, found.status());
        if (contest.end == Contest::End::kGiveWay) return GiveWay(attempt, *contest.other);
        if (absl::Status gone = CheckCallers(*attempt); !gone.ok()) {
          return GiveUpUnsent(attempt, std::move(gone));
        }
        timers_.At(clock_.Now() + limits::kPeerLook,
                   [this, attempt, go_on = std::move(go_on)] { Contend(attempt, go_on); });
      });
}

// Goes on in place of another process's attempt that has sent nothing. Without a request_id that is
// a submit like any other, under a name of its own: that attempt may have given way to one of this
// process, which is joined.
void Submitter::RunInPlace(const AttemptPtr& attempt) {
  if (!attempt->request.minted_request_id) return Resolve(attempt);
  AskAnew(attempt, [this](SubmitRequest request, Done done) {
    request.request_id = MintRequestId(random_);
    Submit(std::move(request), std::move(done));
  });
}

// Ends the attempt, and has its callers join the other one. From then on its record is none that a
// repetition could be taken for.
void Submitter::GiveWay(const AttemptPtr& attempt, const JobRecord& other) {
  Refund(*attempt);
  attempt->record.submission = SubmissionState::kNotSent;
  attempt->record.minted_request_id = false;
  attempt->record.waiting_request.clear();
  DropBody(*attempt);
  StoreAtLast(attempt, [this, attempt, other](const absl::Status&) {
    AskAnew(attempt, [this, &other](SubmitRequest request, Done done) {
      request.request_id = other.job.request_id;
      Identify(std::move(request), AsRepeated(other), std::move(done));
    });
  });
}

// Ends the attempt without a job. Each of its callers asks as if it had not been.
void Submitter::AskAnew(const AttemptPtr& attempt,
                        const std::function<void(SubmitRequest, Done)>& ask) {
  std::function<void()> idle;
  for (Waiter& waiter : End(attempt, "", idle)) {
    SubmitRequest request = attempt->request;
    request.deadline = waiter.deadline;
    request.cancelled = waiter.cancelled;
    ask(std::move(request), std::move(waiter.done));
  }
  if (idle) idle();
}

}  // namespace gateway::jobs
