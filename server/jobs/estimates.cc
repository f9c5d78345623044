#include "jobs/estimates.h"

#include <algorithm>
#include <utility>

#include "jobs/estimate.h"

namespace gateway::jobs {
namespace {

// Of jobs that were not submitted here it is not known when they began.
bool CanBeEstimated(JobState state, WallTime sent_at) {
  return (state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_RUNNING) && sent_at != WallTime{};
}

// How long a job took; none if that says nothing of others.
std::optional<Duration> Took(const JobRecord& record) {
  const Job& job = record.job;
  if (job.state != v1::JOB_STATE_SUCCEEDED || record.sent_at == WallTime{}) return std::nullopt;
  if (!job.finish_time.has_value() || *job.finish_time < record.sent_at) return std::nullopt;
  return *job.finish_time - record.sent_at;
}

}  // namespace

Estimates::Estimates(Duration quiet_least, Jobs& jobs, const Clock& clock)
    : quiet_least_(quiet_least), jobs_(jobs), clock_(clock), began_(clock.WallNow()) {}

void Estimates::OnTenant(const std::string& tenant) {
  {
    MutexLock lock(mutex_);
    if (stopped_ || tenants_.size() >= limits::kTenantsMax || !tenants_.insert(tenant).second)
      return;
    to_read_.push_back(tenant);
    if (std::exchange(reading_, true)) return;
  }
  ReadNext();
}

void Estimates::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  to_read_.clear();
}

// One tenant after the other, so that lists of callers come between.
void Estimates::ReadNext() {
  std::string tenant;
  {
    MutexLock lock(mutex_);
    reading_ = !to_read_.empty();
    if (!reading_) return;
    tenant = std::move(to_read_.front());
    to_read_.pop_front();
  }
  // All states are asked for: only then does the list end soon, whatever jobs there are.
  ListQuery newest;
  newest.limit = limits::kPastJobsRead;
  newest.without_results = true;
  jobs_.List(std::move(tenant), std::move(newest),
             [this](const absl::StatusOr<std::vector<JobRecord>>& read) {
               OnRead(read);
               ReadNext();
             });
}

void Estimates::OnRead(const absl::StatusOr<std::vector<JobRecord>>& newest) {
  if (!newest.ok()) return;  // there are no estimates until some jobs have ended
  std::map<Kind, Durations> read;
  for (auto record = newest->rbegin(); record != newest->rend(); ++record) {
    const std::optional<Duration> took = Took(*record);
    // What ends from the beginning of this process on is counted when it does.
    if (!took.has_value() || *record->job.finish_time >= began_) continue;
    read[{record->job.account, record->job.kind}].Add(*took);
  }
  MutexLock lock(mutex_);
  for (const auto& [kind, durations] : read) PastOf(kind).durations.Merge(durations);
}

void Estimates::OnEnded(const JobRecord& record) {
  const std::optional<Duration> took = Took(record);
  if (!took.has_value()) return;
  MutexLock lock(mutex_);
  PastOf({record.job.account, record.job.kind}).durations.Add(*took);
}

void Estimates::OnBack(const std::string& account) {
  MutexLock lock(mutex_);
  // Who is forgotten here counts as asked for since the beginning.
  if (back_.size() >= limits::kPastJobsKinds) back_.clear();
  back_[account] = clock_.WallNow();
}

Estimates::Past& Estimates::PastOf(const Kind& kind) {
  if (past_.size() >= limits::kPastJobsKinds && !past_.contains(kind)) {
    past_.erase(std::min_element(past_.begin(), past_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Past& past = past_[kind];
  past.used = ++uses_;
  return past;
}

std::optional<v1::JobEstimate> Estimates::Of(const JobRecord& record, bool degraded) {
  const Job& job = record.job;
  return Make({job.account, job.kind}, job.state, record.sent_at, job.update_time, degraded);
}

std::optional<v1::JobEstimate> Estimates::Of(const Snapshot& job, bool degraded) {
  return Make({job.account, job.kind}, job.state, job.sent_at, job.update_time, degraded);
}

std::optional<v1::JobEstimate> Estimates::Make(const Kind& kind, JobState state, WallTime sent_at,
                                               WallTime update_time, bool degraded) {
  if (!CanBeEstimated(state, sent_at)) return std::nullopt;
  EstimateFacts facts{.sent_at = sent_at, .update_time = update_time, .quiet_least = quiet_least_};
  Durations past;
  {
    MutexLock lock(mutex_);
    const auto found = past_.find(kind);
    if (found == past_.end()) return std::nullopt;
    past = found->second.durations;
    const auto back = back_.find(kind.first);
    if (!degraded) facts.asked_since = back == back_.end() ? began_ : back->second;
  }
  return EstimateOf(past, facts, clock_.WallNow());
}

Frame Estimates::FrameOf(const SnapshotPtr& job, bool degraded) {
  if (!CanBeEstimated(job->state, job->sent_at)) return JobFrame(job, degraded);
  const MonoTime now = clock_.Now();
  Made& made = made_[std::hash<const Snapshot*>()(job.get()) / sizeof(Snapshot) % made_.size()];
  MutexLock lock(made.mutex);
  if (made.job != job || made.degraded != degraded || now >= made.until) {
    const std::optional<v1::JobEstimate> estimate = Of(*job, degraded);
    made.frame = JobFrame(job, degraded, estimate.has_value() ? &*estimate : nullptr);
    made.job = job;
    made.degraded = degraded;
    made.until = now + limits::kEstimateKept;
  }
  return made.frame;
}

}  // namespace gateway::jobs
