#include "app/spans.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "base/limits.h"

namespace gateway::app {
namespace {

using obs::Span;

// The codes that are the server's fault and not the caller's, by OpenTelemetry's conventions.
bool IsFault(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// A span without a parent, in a trace of its own.
TraceContext Apart(Random& random) { return ChildOf({}, random); }

}  // namespace

std::optional<Span> SpanOfCall(const rpc::CallEnd& end, WallTime now) {
  const bool own = end.trace != nullptr && end.trace->own;
  if (!own || !end.trace->sampled) return std::nullopt;
  Span span{.context = *end.trace,
            .name = "pictory.jobs.v1.PictoryJobs/" + std::string(end.method),
            .kind = Span::Kind::kServer,
            .begin = now - std::chrono::duration_cast<WallTime::duration>(end.took),
            .end = now,
            .failed = IsFault(end.status.code())};
  span.attributes = {{"rpc.system", "grpc"},
                     {"rpc.service", "pictory.jobs.v1.PictoryJobs"},
                     {"rpc.method", std::string(end.method)},
                     {"rpc.grpc.status_code", static_cast<std::int64_t>(end.status.code())}};
  return span;
}

std::optional<Span> SpanOfSubmission(const jobs::JobRecord& record, std::string_view outcome,
                                     WallTime now, Random& random) {
  const TraceContext call = ReadStoredTrace(record.job.trace);
  if (!call.sampled) return std::nullopt;
  const bool has_waited = record.job.state == jobs::v1::JOB_STATE_WAITING;
  Span span{.context = has_waited ? Apart(random) : ChildOf(call, random),
            .name = "submit " + jobs::KindName(record.job.kind),
            .kind = Span::Kind::kClient,
            .begin = std::min(record.sent_at, now),
            .end = now,
            .failed = outcome != "accepted"};
  span.attributes = {{"pictory.job_id", record.job.job_id},
                     {"pictory.kind", jobs::KindName(record.job.kind)},
                     {"pictory.outcome", std::string(outcome)}};
  if (has_waited) span.links = {call};
  return span;
}

void PhaseSpans::OnChange(const jobs::JobRecord& record) {
  const jobs::Job& job = record.job;
  if (job.trace.empty()) return;
  const TraceContext call = ReadStoredTrace(job.trace);
  if (!call.sampled) return;
  std::optional<Phase> over;
  {
    MutexLock lock(mutex_);
    const auto known = phases_.find(job.job_id);
    if (known == phases_.end()) {
      const bool room = phases_.size() < limits::kTracedJobsMax;
      if (room && !jobs::IsFinal(job.state)) {
        phases_.emplace(job.job_id, Phase{job.state, job.update_time});
      }
    } else if (known->second.state != job.state) {
      over = std::exchange(known->second, Phase{job.state, job.update_time});
      if (jobs::IsFinal(job.state)) phases_.erase(known);
    }
  }
  if (!over.has_value()) return;
  const bool failed = jobs::IsFinal(job.state) && job.state != jobs::v1::JOB_STATE_SUCCEEDED &&
                      job.state != jobs::v1::JOB_STATE_CANCELLED;
  Span span{.context = Apart(random_),
            .name = "job " + jobs::StateName(over->state),
            .begin = std::min(over->since, job.update_time),
            .end = job.update_time,
            .failed = failed};
  span.attributes = {{"pictory.job_id", job.job_id},
                     {"pictory.kind", jobs::KindName(job.kind)},
                     {"pictory.state", jobs::StateName(over->state)},
                     {"pictory.next_state", jobs::StateName(job.state)}};
  span.links = {call};
  take_(std::move(span));
}

}  // namespace gateway::app
