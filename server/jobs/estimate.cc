#include "jobs/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

// The next whole second: an estimate is no more exact.
std::chrono::sys_seconds WholeSecond(WallTime from, Duration after) {
  return std::chrono::ceil<std::chrono::seconds>(from + after);
}

}  // namespace

std::optional<v1::JobEstimate> EstimateOf(const Durations& past, const EstimateFacts& job,
                                          WallTime now) {
  const Duration taken = std::max<Duration>(Duration::zero(), now - job.sent_at);
  v1::JobEstimate estimate;
  const auto alike = static_cast<std::int32_t>(std::lround(past.LongerThan(taken)));
  if (alike >= limits::kEstimateJobsMin) {
    const auto at = [&](double share) {
      return WholeSecond(job.sent_at, past.Within(share, taken)).time_since_epoch().count();
    };
    estimate.mutable_likely_finish_time()->set_seconds(at(limits::kEstimateLikely));
    estimate.mutable_late_finish_time()->set_seconds(at(limits::kEstimateLate));
    estimate.set_past_jobs(alike);
  }
  if (job.asked_since.has_value() && std::lround(past.count()) >= limits::kStallJobsMin) {
    const WallTime quiet_since = std::max(job.update_time, *job.asked_since);
    const auto stalls = std::max(
        WholeSecond(job.sent_at, past.Within(limits::kStallShare)),
        WholeSecond(quiet_since, std::max(past.Within(limits::kEstimateLikely), job.quiet_least)));
    estimate.mutable_stall_time()->set_seconds(stalls.time_since_epoch().count());
    estimate.set_stalled(now >= stalls);
  }
  if (!estimate.has_likely_finish_time() && !estimate.has_stall_time()) return std::nullopt;
  return estimate;
}

}  // namespace gateway::jobs
