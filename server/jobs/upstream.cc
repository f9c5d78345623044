#include "jobs/upstream.h"

#include "base/errors.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;
using Outcome = pictory::SubmitReply::Outcome;

Budget::Share ShareOf(Purpose purpose) {
  return purpose == Purpose::kSubmit || purpose == Purpose::kChange ? Budget::Share::kSubmit
                                                                    : Budget::Share::kPoll;
}

errors::Call CallOf(Purpose purpose) {
  return purpose == Purpose::kSubmit ? errors::Call::kSubmit : errors::Call::kFree;
}

pictory::ClientOptions Counted(pictory::ClientOptions options, Account& account) {
  options.extra_request = [&account] { account.Spend(Budget::Share::kPoll); };
  options.may_repeat = [&account] { return account.TryRepeat(); };
  return options;
}

bool IsAnswer(const pictory::SubmitReply& reply) {
  return reply.outcome == Outcome::kNotSent ? reply.rate_limited
                                            : reply.outcome != Outcome::kUnknown;
}

// Whether the reply says something of the request, and not only of who sent it.
bool Speaks(const pictory::SubmitReply& reply) {
  return reply.outcome == Outcome::kAccepted ||
         (reply.outcome == Outcome::kRefused &&
          errors::Reason(reply.error) != errors::kUpstreamCredentials);
}

}  // namespace

Upstream::Turn::~Turn() {
  if (upstream_ != nullptr) upstream_->account_.Refund(ShareOf(purpose_));
}

Places::Place Upstream::Turn::Use() {
  upstream_ = nullptr;
  return std::move(place_);
}

Upstream::Upstream(UpstreamOptions options, http::HttpTransport& transport, const Clock& clock,
                   Timers& timers, UpstreamEvents events)
    : translate_(std::move(options.translate)),
      name_(std::move(options.account)),
      places_(std::move(options.places)),
      account_(options.budget, clock),
      client_(Counted(std::move(options.client), account_),
              options.transport != nullptr ? *options.transport : transport, clock),
      outage_(account_, client_, clock, timers, std::move(events.rests),
              [this] { return weak_from_this().lock(); }),
      line_(account_, name_, places_.submits, clock, timers) {
  account_.SetDegradedChanged(std::move(events.degraded_changed));
  if (!options.closed.ok()) {
    outage_.Stop();
    account_.SetResting(std::move(options.closed));
  }
}

Places* Upstream::PlacesOf(Purpose purpose) const {
  if (purpose == Purpose::kPoll) return nullptr;
  return (purpose == Purpose::kLook ? places_.looks : places_.submits).get();
}

std::optional<Upstream::Turn> Upstream::TryTake(Purpose purpose, const std::string& tenant) {
  const Budget::Share share = ShareOf(purpose);
  if (share == Budget::Share::kSubmit && line_.busy()) return std::nullopt;
  if (!account_.TryTake(share)) return std::nullopt;
  Places::Place place;
  if (Places* const places = PlacesOf(purpose)) {
    place = places->TryTake(HolderOf(tenant));
    if (place == nullptr) {
      account_.Refund(share);
      return std::nullopt;
    }
  }
  return Turn(shared_from_this(), purpose, std::move(place));
}

absl::StatusOr<Upstream::Turn> Upstream::TakeLook(const std::string& tenant, int looks) {
  std::optional<Turn> turn = TryTake(Purpose::kLook, tenant);
  if (!turn.has_value()) return Refusal(Purpose::kLook, tenant);
  if (const Duration wait = account_.TakeLooks(tenant, looks); wait > Duration::zero()) {
    return errors::BudgetExhausted(wait, errors::Call::kFree);
  }
  return *std::move(turn);
}

Upstream::Turn Upstream::Borrow(Purpose purpose) {
  account_.Spend(ShareOf(purpose));
  return Turn(shared_from_this(), purpose, nullptr);
}

void Upstream::AwaitTurn(Purpose purpose, const std::string& tenant, MonoTime give_up,
                         TurnDone done) {
  line_.Wait(tenant, give_up,
             [self = shared_from_this(), purpose, done = std::move(done)](TurnLine::End end) {
               if (end.crowded) return done(errors::TooManyUnderWay(CallOf(purpose)));
               if (end.place == nullptr) return done(self->Refusal(purpose));
               done(Turn(self, purpose, std::move(end.place)));
             });
}

void Upstream::TakeTurn(Purpose purpose, const std::string& tenant, MonoTime give_up,
                        TurnDone done) {
  if (std::optional<Turn> turn = TryTake(purpose, tenant)) return done(*std::move(turn));
  AwaitTurn(purpose, tenant, give_up, std::move(done));
}

MonoTime Upstream::NextAt(Purpose purpose) { return account_.NextAt(ShareOf(purpose)); }

absl::Status Upstream::Refusal(Purpose purpose, const std::string& tenant) {
  const bool crowded = purpose == Purpose::kLook && !places_.looks->HasFor(HolderOf(tenant));
  if (crowded && !account_.resting()) return errors::TooManyUnderWay(CallOf(purpose));
  return account_.Refusal(ShareOf(purpose), CallOf(purpose));
}

void Upstream::Authorize(pictory::Credentials::Ready ready) {
  client_.Authorize([self = shared_from_this(), ready = std::move(ready)](
                        absl::StatusOr<pictory::Authorization> authorization) {
    ready(std::move(authorization));
  });
}

void Upstream::Submit(Turn turn, pictory::Submission submission,
                      const pictory::Authorization& authorization, MonoTime start_by,
                      std::function<void(pictory::SubmitReply)> done) {
  client_.Submit(std::move(submission), authorization, start_by,
                 [self = shared_from_this(), place = turn.Use(),
                  done = std::move(done)](pictory::SubmitReply reply) mutable {
                   place = nullptr;  // it may be needed at once, to send the submit again
                   self->NoteSubmit(reply);
                   done(std::move(reply));
                 });
}

void Upstream::NoteSubmit(const pictory::SubmitReply& reply) {
  if (reply.crowded) return;
  account_.NoteAnswer(IsAnswer(reply));
  if (Speaks(reply)) account_.NoteSpoken();
  if (reply.rate_limited) account_.OnRateLimited(reply.retry_after);
}

void Upstream::GetJob(Turn turn, const Question& question,
                      std::function<void(pictory::JobReply)> done) {
  account_.CountRead();
  client_.GetJob(
      question.pictory_job_id, question.kind, question.last_digest,
      [self = shared_from_this(), purpose = turn.purpose_, place = turn.Use(),
       done = std::move(done)](pictory::JobReply reply) {
        self->NoteJob(purpose, reply);
        done(std::move(reply));
      },
      question.size, question.timeout);
}

// Notes a reply about a job. A look that failed says nothing of how far watchers lag, because no
// watcher depends on it.
void Upstream::NoteJob(Purpose purpose, const pictory::JobReply& reply) {
  if (purpose == Purpose::kPoll) {
    SaidNothing(reply.kind) ? account_.NoteSilentPoll() : account_.NoteSpoken();
  } else if (pictory::Speaks(reply.kind)) {
    account_.NoteSpoken();
  }
  account_.NoteAnswer(reply.kind != Kind::kUnavailable);
  if (reply.kind == Kind::kRateLimited) account_.OnRateLimited(reply.retry_after);
  if (reply.kind == Kind::kCredentials) account_.NoteSuspect();
}

void Upstream::ListJobs(Turn turn, const std::string& page_key,
                        std::function<void(absl::StatusOr<pictory::JobList>)> done) {
  account_.CountRead();
  client_.ListJobs(page_key, [self = shared_from_this(), place = turn.Use(),
                              done = std::move(done)](absl::StatusOr<pictory::JobList> listed) {
    self->account_.NoteFreeCall(listed.status());
    done(std::move(listed));
  });
}

void Upstream::CleanJob(Turn turn, const std::string& pictory_job_id,
                        std::function<void(absl::Status)> done) {
  client_.CleanJob(pictory_job_id, [self = shared_from_this(), place = turn.Use(),
                                    done = std::move(done)](const absl::Status& cleaned) {
    self->account_.NoteFreeCall(cleaned);
    done(cleaned);
  });
}

void Upstream::CreateUpload(Turn turn, const v1::CreateUploadRequest& request,
                            std::function<void(absl::StatusOr<v1::CreateUploadResponse>)> done) {
  client_.CreateUpload(request,
                       [self = shared_from_this(), place = turn.Use(),
                        done = std::move(done)](absl::StatusOr<v1::CreateUploadResponse> answer) {
                         self->account_.NoteFreeCall(answer.status());
                         done(std::move(answer));
                       });
}

void Upstream::Ask(Turn turn, pictory::FreeCall call,
                   std::function<void(absl::StatusOr<std::string>)> done) {
  client_.Ask(std::move(call), [self = shared_from_this(), place = turn.Use(),
                                done = std::move(done)](absl::StatusOr<std::string> answer) {
    self->account_.NoteFreeCall(answer.status());
    done(std::move(answer));
  });
}

void Upstream::ReplaceSecret(Secret secret) {
  client_.ReplaceSecret(std::move(secret));
  outage_.AskNow();
}

}  // namespace gateway::jobs
