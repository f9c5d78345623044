// EstimateOf says when a job may end, and whether it seems to stand still, by how long past jobs
// took. It is pure. It is an estimate: nothing is ever done to a job because of it.
#pragma once

#include <optional>

#include "base/clock.h"
#include "jobs/durations.h"
#include "jobs/job.h"

namespace gateway::jobs {

// What an estimate is made of, beside the past jobs.
struct EstimateFacts {
  WallTime sent_at{};      // when the job was submitted
  WallTime update_time{};  // when it changed last, as callers see it
  // Since when Pictory could be asked about it, as far as that is known; nullopt: it cannot be
  // asked now, so nothing can be said about standing still.
  std::optional<WallTime> asked_since{};
  Duration quiet_least{};  // a job that has not changed for a shorter time does not stand still
};

// None where too few past jobs are known.
std::optional<v1::JobEstimate> EstimateOf(const Durations& past, const EstimateFacts& job,
                                          WallTime now);

}  // namespace gateway::jobs
