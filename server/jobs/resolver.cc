#include "jobs/resolver.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/answered.h"
#include "jobs/candidates.h"
#include "jobs/outcome.h"

namespace gateway::jobs {
namespace {

v1::ResolveJobResponse ResponseWith(const Snapshot& snapshot) {
  v1::ResolveJobResponse response;
  *response.mutable_job() = ToProto(snapshot);
  return response;
}

}  // namespace

Resolver::Resolver(const Shards& shards, Upstreams& upstreams, Ledger& ledger,
                   Submissions& submissions, Sharing& sharing, Jobs& jobs, Hub& hub, Poller& poller,
                   const Clock& clock, Timers& timers, ResolveEvents events)
    : shards_(shards),
      upstreams_(upstreams),
      ledger_(ledger),
      submissions_(submissions),
      sharing_(sharing),
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
    timers.push_back(std::exchange(recall_, Timers::kNone));
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
          return done(reply.kind == pictory::JobReply::Kind::kNotFound
                          ? errors::PictoryJobNotFound(pictory_job_id)
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
