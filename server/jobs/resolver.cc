#include "jobs/resolver.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/answered.h"
#include "jobs/candidates.h"
#include "jobs/guards.h"
#include "jobs/outcome.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

v1::ResolveJobResponse ResponseWith(const Snapshot& snapshot) {
  v1::ResolveJobResponse response;
  *response.mutable_job() = ToProto(snapshot);
  return response;
}

}  // namespace

Resolver::Resolver(const Shards& shards, Upstreams& upstreams, Ledger& ledger,
                   Submissions& submissions, Jobs& jobs, Hub& hub, Poller& poller,
                   const Clock& clock, Timers& timers, ResolveEvents events)
    : shards_(shards),
      upstreams_(upstreams),
      ledger_(ledger),
      submissions_(submissions),
      jobs_(jobs),
      hub_(hub),
      poller_(poller),
      clock_(clock),
      timers_(timers),
      events_(std::move(events)) {}

Resolver::~Resolver() { Stop(); }

void Resolver::OnChange(const JobRecord& record) {
  const JobKey key{record.job.tenant, record.job.job_id};
  if (record.job.state != v1::JOB_STATE_UNCONFIRMED) return Drop(key);
  std::vector<std::string> said;
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    auto entry = unconfirmed_.find(key);
    if (entry == unconfirmed_.end()) {
      if (!shards_.Has(record.job.shard)) return;
      entry = unconfirmed_.try_emplace(key).first;
    }
    entry->second.record = record;
    if (sweep_ == Timers::kNone) {
      sweep_ = timers_.At(clock_.Now() + limits::kUnconfirmedSweep, [this] { Sweep(); });
    }
    if (const auto found = early_.find(key); found != early_.end()) {
      said = std::move(found->second.pictory_job_ids);
      early_.erase(found);
    }
  }
  for (std::string& id : said) TakeHint(key, std::move(id));
  // Not only of one that is new here: the job may be read anew because the feed has a gap, and what
  // told of a hint may have been in it.
  if (!shards_.alone()) RecallHints(key);
}

void Resolver::RecallHints(const JobKey& key) {
  {
    MutexLock lock(mutex_);
    if (!unconfirmed_.contains(key)) return;
  }
  submissions_.FindHints(key, [this, key](absl::StatusOr<std::vector<std::string>> hints) {
    if (!hints.ok()) return;
    for (std::string& id : *hints) TakeHint(key, std::move(id));
  });
}

// A job that is being decided about here stays until that is done.
void Resolver::DropLost() {
  MutexLock lock(mutex_);
  for (auto at = unconfirmed_.begin(); at != unconfirmed_.end();) {
    Unconfirmed& entry = at->second;
    if (shards_.Has(entry.record.job.shard) || entry.busy) {
      ++at;
      continue;
    }
    if (entry.timer != Timers::kNone) timers_.Cancel(entry.timer);
    at = unconfirmed_.erase(at);
  }
}

void Resolver::Drop(const JobKey& key) {
  MutexLock lock(mutex_);
  const auto found = unconfirmed_.find(key);
  if (found == unconfirmed_.end()) return;
  if (found->second.timer != Timers::kNone) timers_.Cancel(found->second.timer);
  unconfirmed_.erase(found);
}

void Resolver::Recall(std::vector<Hint> hints) {
  MutexLock lock(mutex_);
  for (Hint& hint : hints) NoteEarly(hint.job, std::move(hint.pictory_job_id));
}

void Resolver::OnWebhookCall(const std::string& token, std::vector<std::string> pictory_job_ids,
                             WebhookCallDone done) {
  std::erase_if(pictory_job_ids, [](const std::string& id) { return !IsUpstreamId(id); });
  submissions_.FindToken(token, [this, ids = std::move(pictory_job_ids), done = std::move(done)](
                                    absl::StatusOr<std::optional<JobRecord>> found) {
    const bool known = found.ok() && found->has_value();
    const bool unconfirmed = known && (*found)->submission == SubmissionState::kUnknown;
    if (events_.webhook_called) events_.webhook_called(known, unconfirmed);
    if (!known) return done(found.status());
    const JobRecord& record = **found;
    const JobKey key{record.job.tenant, record.job.job_id};
    if (record.submission == SubmissionState::kAccepted) {
      // Only a poll tells what has become of the job, and it would without a hint too.
      const bool own =
          ids.empty() || std::find(ids.begin(), ids.end(), record.job.pictory_job_id) != ids.end();
      if (own) poller_.Hint(key.tenant, key.id);
      if (own && !shards_.Has(record.job.shard)) return submissions_.Nudge(key, done);
      return done(absl::OkStatus());
    }
    // The job may be unconfirmed in the store already, and not yet here.
    const bool open = unconfirmed || record.submission == SubmissionState::kSending;
    if (!open || ids.empty() || IsOff(Guard::kEarlyWebhookCall)) return done(absl::OkStatus());
    for (const std::string& id : ids) KeepEarly(key, id);
    submissions_.KeepHints(key, ids, done);
  });
}

// Keeps a hint that comes while the answer to the submit is still to come. The answer says more
// than the hint; if it does not come, the hint is what is known.
void Resolver::KeepEarly(const JobKey& key, std::string pictory_job_id) {
  bool is_unconfirmed;
  {
    MutexLock lock(mutex_);
    is_unconfirmed = unconfirmed_.contains(key);  // it has become so while the store was asked
    if (!is_unconfirmed) NoteEarly(key, pictory_job_id);
  }
  if (is_unconfirmed) TakeHint(key, std::move(pictory_job_id));
}

void Resolver::NoteEarly(const JobKey& key, std::string pictory_job_id) {
  const MonoTime now = clock_.Now();
  if (early_.size() >= limits::kEarlyHintsMax) {
    std::erase_if(early_, [now](const auto& entry) {
      return now - entry.second.came > limits::kEarlyHintKept;
    });
  }
  if (early_.size() >= limits::kEarlyHintsMax && !early_.contains(key)) return;
  // All ids are kept, as for an unconfirmed job: a wrong one must not hide the right one.
  EarlyHint& hint = early_[key];
  hint.came = now;
  std::vector<std::string>& ids = hint.pictory_job_ids;
  const bool known = std::find(ids.begin(), ids.end(), pictory_job_id) != ids.end();
  if (!known && ids.size() < limits::kHintsMax) ids.push_back(std::move(pictory_job_id));
}

Resolver::Candidate* Resolver::Find(Unconfirmed& entry, const std::string& pictory_job_id) {
  const auto found =
      std::find_if(entry.hints.begin(), entry.hints.end(),
                   [&](const Candidate& hint) { return hint.pictory_job_id == pictory_job_id; });
  return found == entry.hints.end() ? nullptr : &*found;
}

void Resolver::TakeHint(const JobKey& key, std::string pictory_job_id) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end() || stopped_ || Find(found->second, pictory_job_id) != nullptr)
      return;
    std::vector<Candidate>& hints = found->second.hints;
    if (hints.size() >= limits::kHintsMax) {  // only who knows the token can name so many
      const auto unknown =
          std::find_if(hints.begin(), hints.end(), [](const Candidate& h) { return h.unknown; });
      if (unknown == hints.end()) return;
      hints.erase(unknown);
    }
    hints.push_back({.pictory_job_id = pictory_job_id, .due = clock_.Now()});
  }
  if (IsOff(Guard::kAskBeforeAdopting))
    return OnHintAnswer(key, pictory_job_id, {.kind = Kind::kRunning});
  AskAboutHint(key);
}

// Asks Pictory about the candidate that is due first: one question at a time for each job.
void Resolver::AskAboutHint(const JobKey& key) {
  Upstream::Question question;
  UpstreamPtr upstream;
  std::optional<Upstream::Turn> turn;
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end() || stopped_) return;
    Unconfirmed& entry = found->second;
    if (entry.hints.empty() || entry.asking) return;
    Candidate& hint =
        *std::min_element(entry.hints.begin(), entry.hints.end(),
                          [](const Candidate& a, const Candidate& b) { return a.due < b.due; });
    const MonoTime now = clock_.Now();
    upstream = upstreams_.Of(entry.record.job.account);
    MonoTime at =
        std::max(hint.due, entry.asked == MonoTime{} ? now : entry.asked + limits::kHintInterval);
    if (at <= now) {
      turn = upstream->TryTake(Purpose::kLook);
      if (!turn.has_value()) {
        at = std::max(upstream->NextAt(Purpose::kLook), now + std::chrono::milliseconds(1));
      }
    }
    const Timers::Id armed = std::exchange(entry.timer, Timers::kNone);
    if (armed != Timers::kNone) timers_.Cancel(armed);
    if (!turn.has_value()) {
      entry.timer = timers_.At(at, [this, key] { AskAboutHint(key); });
      return;
    }
    entry.asking = true;
    entry.asked = now;
    if (!hint.first_asked.has_value()) hint.first_asked = now;
    // The question is only whether Pictory knows the job; the job's polls read the result.
    question = {
        .pictory_job_id = hint.pictory_job_id,
        .kind = entry.record.job.kind,
        .timeout = Doubled(limits::kPollTimeout, hint.failures, limits::kSlowPollTimeoutMax)};
  }
  upstream->GetJob(*std::move(turn), question,
                   [this, key, id = question.pictory_job_id](const pictory::JobReply& reply) {
                     OnHintAnswer(key, id, reply);
                   });
}

void Resolver::OnHintAnswer(const JobKey& key, const std::string& pictory_job_id,
                            const pictory::JobReply& reply) {
  if (KnowsJob(reply.kind)) {
    JobRecord record;
    if (!Claim(key, record)) return AskAgain(key, pictory_job_id, limits::kResolveRetry);
    return StoreResolved(
        key, Adopted(record, pictory_job_id, clock_.WallNow()), "hint",
        [this, key, record, pictory_job_id](const absl::StatusOr<SnapshotPtr>& resolved) {
          if (resolved.ok()) return;
          // A store that is busy says nothing about the hint.
          if (!absl::IsAlreadyExists(resolved.status())) {
            return AskAgain(key, pictory_job_id, limits::kPollErrorFirst);
          }
          if (events_.foreign) events_.foreign(record, pictory_job_id);
          DropHint(key, pictory_job_id);
        });
  }
  Duration delay = limits::kPollErrorFirst;
  bool wrong = false;
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    Candidate* const hint = Find(found->second, pictory_job_id);
    if (hint != nullptr) {
      hint->unknown = !pictory::SaidNothing(reply.kind);
      if (reply.kind == Kind::kNotFound) {
        // Right after Pictory has accepted a job, it may not know the job yet.
        wrong = clock_.Now() - *hint->first_asked >= limits::kNotFoundGrace;
      } else {
        delay = Doubled(delay, hint->failures++, limits::kPollErrorMax);
      }
    }
    delay = std::max(delay, reply.retry_after);
  }
  wrong ? DropHint(key, pictory_job_id) : AskAgain(key, pictory_job_id, delay);
}

void Resolver::AskAgain(const JobKey& key, const std::string& pictory_job_id, Duration delay) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    found->second.asking = false;
    if (Candidate* const hint = Find(found->second, pictory_job_id))
      hint->due = clock_.Now() + delay;
  }
  AskAboutHint(key);
}

void Resolver::DropHint(const JobKey& key, const std::string& pictory_job_id) {
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end()) return;
    found->second.asking = false;
    std::erase_if(found->second.hints,
                  [&](const Candidate& hint) { return hint.pictory_job_id == pictory_job_id; });
  }
  AskAboutHint(key);
}

bool Resolver::Claim(const JobKey& key, JobRecord& record) {
  MutexLock lock(mutex_);
  const auto found = unconfirmed_.find(key);
  if (found == unconfirmed_.end() || found->second.busy || stopped_) return false;
  found->second.busy = true;
  record = found->second.record;
  return true;
}

void Resolver::Release(const JobKey& key) {
  MutexLock lock(mutex_);
  const auto found = unconfirmed_.find(key);
  if (found != unconfirmed_.end()) found->second.busy = false;
}

void Resolver::StoreResolved(const JobKey& key, JobRecord record, std::string_view by,
                             Resolved done) {
  ledger_.Update({.record = std::move(record)},
                 [this, key, by, done = std::move(done)](const Ledger::Outcome& outcome) {
                   if (absl::IsAborted(outcome.status)) OnChange(outcome.record);
                   if (!outcome.status.ok()) {
                     Release(key);
                     return done(outcome.status);
                   }
                   if (events_.resolved) events_.resolved(outcome.record, by);
                   poller_.Hint(key.tenant, key.id);  // it may have ended long ago
                   done(outcome.seen);
                 });
}

// Marks jobs that have been unconfirmed for too long, and comes again as long as any job is
// unconfirmed.
void Resolver::Sweep() {
  std::vector<JobRecord> old;
  {
    MutexLock lock(mutex_);
    sweep_ = Timers::kNone;
    if (stopped_ || unconfirmed_.empty()) return;
    sweep_ = timers_.At(clock_.Now() + limits::kUnconfirmedSweep, [this] { Sweep(); });
    const WallTime now = clock_.WallNow();
    for (auto& [key, entry] : unconfirmed_) {
      if (entry.busy || entry.record.job.stale) continue;
      if (now - entry.record.sent_at < limits::kUnconfirmedStaleAfter) continue;
      entry.busy = true;
      JobRecord record = entry.record;
      record.job.stale = true;
      record.job.update_time = now;
      ++record.job.revision;
      old.push_back(std::move(record));
    }
  }
  for (JobRecord& record : old) {
    ledger_.Update({.record = std::move(record)}, [this](const Ledger::Outcome& outcome) {
      if (absl::IsAborted(outcome.status)) OnChange(outcome.record);
      Release({outcome.record.job.tenant, outcome.record.job.job_id});
    });
  }
}

void Resolver::Stop() {
  std::vector<Timers::Id> timers;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    timers.push_back(std::exchange(sweep_, Timers::kNone));
    for (auto& [key, entry] : unconfirmed_)
      timers.push_back(std::exchange(entry.timer, Timers::kNone));
  }
  for (const Timers::Id timer : timers) {
    if (timer != Timers::kNone) timers_.Cancel(timer);
  }
}

std::size_t Resolver::unconfirmed() const {
  MutexLock lock(mutex_);
  return unconfirmed_.size();
}

std::size_t Resolver::unconfirmed_of(const std::string& tenant) const {
  MutexLock lock(mutex_);
  std::size_t jobs = 0;
  for (const auto& [key, entry] : unconfirmed_) jobs += key.tenant == tenant ? 1 : 0;
  return jobs;
}

std::size_t Resolver::unconfirmed_at(const std::string& account) const {
  MutexLock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(unconfirmed_.begin(), unconfirmed_.end(),
                    [&](const auto& entry) { return entry.second.record.job.account == account; }));
}

Duration Resolver::oldest_age() const {
  const WallTime now = clock_.WallNow();
  Duration oldest = Duration::zero();
  MutexLock lock(mutex_);
  for (const auto& [key, entry] : unconfirmed_) {
    oldest = std::max<Duration>(oldest, now - entry.record.sent_at);
  }
  return oldest;
}

void Resolver::Resolve(const std::string& tenant, const v1::ResolveJobRequest& request,
                       ResolveDone done) {
  hub_.Load(tenant, request.job_id(),
            [this, request, done = std::move(done)](const absl::StatusOr<SnapshotPtr>& found) {
              if (!found.ok()) return done(found.status());
              const Snapshot& job = **found;
              // A job that was given up may have a Pictory id too, and is not polled.
              const bool given_up = job.state == v1::JOB_STATE_OUTCOME_UNKNOWN;
              const bool repeated =
                  given_up ? request.has_abandon()
                           : request.has_adopt_pictory_job_id() &&
                                 job.pictory_job_id() == request.adopt_pictory_job_id();
              if (repeated) return done(ResponseWith(job));
              if (job.state != v1::JOB_STATE_UNCONFIRMED) {
                return done(errors::JobNotUnconfirmed(job.job_id(), StateName(job.state)));
              }
              const JobKey key{job.tenant, std::string(job.job_id())};
              if (shards_.Has(job.shard)) return Decide(key, request, done);
              DecideElsewhere(key, request, done);
            });
}

// Another process looks after the job. What is decided here it hears of by the feed.
void Resolver::DecideElsewhere(const JobKey& key, const v1::ResolveJobRequest& request,
                               ResolveDone done) {
  jobs_.Find(key.tenant, key.id,
             [this, key, request,
              done = std::move(done)](const absl::StatusOr<std::optional<JobRecord>>& found) {
               if (!found.ok()) return done(found.status());
               if (!found->has_value() || (*found)->job.job_id != key.id) {
                 return done(errors::JobNotFound(key.id));
               }
               const JobRecord& record = **found;
               if (record.job.state != v1::JOB_STATE_UNCONFIRMED) {
                 return done(errors::JobNotUnconfirmed(key.id, StateName(record.job.state)));
               }
               {
                 MutexLock lock(mutex_);
                 Unconfirmed& entry = unconfirmed_[key];
                 if (!entry.busy) entry.record = record;
               }
               Decide(key, request, done);
             });
}

void Resolver::Decide(const JobKey& key, const v1::ResolveJobRequest& request, ResolveDone done) {
  switch (request.decision_case()) {
    case v1::ResolveJobRequest::kAdoptPictoryJobId:
      if (!IsUpstreamId(request.adopt_pictory_job_id())) {
        return done(errors::Invalid("adopt_pictory_job_id", kUpstreamIdRule));
      }
      return AdoptNamed(key, request.adopt_pictory_job_id(), std::move(done));
    case v1::ResolveJobRequest::kAbandon: {
      if (!request.abandon()) {
        return done(errors::Invalid("abandon", "must be true; leave it out to list candidates"));
      }
      JobRecord record;
      if (!Claim(key, record)) return done(errors::JobBeingResolved(key.id, limits::kResolveRetry));
      return StoreResolved(
          key, Abandoned(record, clock_.WallNow()), "abandon",
          [key, done = std::move(done)](const absl::StatusOr<SnapshotPtr>& resolved) {
            if (absl::IsAborted(resolved.status())) {
              return done(errors::JobBeingResolved(key.id, limits::kResolveRetry));
            }
            if (!resolved.ok()) return done(resolved.status());
            done(ResponseWith(**resolved));
          });
    }
    case v1::ResolveJobRequest::DECISION_NOT_SET:
      break;
  }
  ListCandidates(key, std::move(done));
}

void Resolver::ListCandidates(const JobKey& key, ResolveDone done) {
  JobRecord record;
  {
    MutexLock lock(mutex_);
    const auto found = unconfirmed_.find(key);
    if (found == unconfirmed_.end())
      return done(errors::JobBeingResolved(key.id, limits::kResolveRetry));
    record = found->second.record;
  }
  FindCandidates(record, upstreams_.Of(record.job.account), jobs_,
                 [record, done = std::move(done)](
                     const absl::StatusOr<std::vector<v1::ResolveCandidate>>& found) {
                   if (!found.ok()) return done(found.status());
                   v1::ResolveJobResponse response = ResponseWith(*MakeSnapshot(record.job));
                   for (const v1::ResolveCandidate& one : *found) *response.add_candidates() = one;
                   done(response);
                 });
}

void Resolver::AdoptNamed(const JobKey& key, const std::string& pictory_job_id, ResolveDone done) {
  JobRecord record;
  if (!Claim(key, record)) return done(errors::JobBeingResolved(key.id, limits::kResolveRetry));
  const UpstreamPtr upstream = upstreams_.Of(record.job.account);
  std::optional<Upstream::Turn> turn = upstream->TryTake(Purpose::kLook);
  if (!turn.has_value()) {
    Release(key);
    return done(upstream->Refusal(Purpose::kLook));
  }
  upstream->GetJob(
      *std::move(turn),
      {.pictory_job_id = pictory_job_id,
       .kind = record.job.kind,
       .timeout = limits::kSlowPollTimeoutMax},
      [this, key, record, pictory_job_id, done = std::move(done)](const pictory::JobReply& reply) {
        if (!KnowsJob(reply.kind)) {
          Release(key);
          return done(reply.kind == Kind::kNotFound ? errors::PictoryJobNotFound(pictory_job_id)
                                                    : WhyUnanswered(reply));
        }
        StoreResolved(key, Adopted(record, pictory_job_id, clock_.WallNow()), "adopt",
                      [key, pictory_job_id, done](const absl::StatusOr<SnapshotPtr>& resolved) {
                        if (absl::IsAlreadyExists(resolved.status())) {
                          return done(errors::PictoryJobTaken(pictory_job_id));
                        }
                        if (absl::IsAborted(resolved.status()))
                          return done(errors::JobBeingResolved(key.id, limits::kResolveRetry));
                        if (!resolved.ok()) return done(resolved.status());
                        done(ResponseWith(**resolved));
                      });
      });
}

}  // namespace gateway::jobs
