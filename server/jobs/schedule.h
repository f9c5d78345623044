// These pure functions say when to poll a job next.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

// The shape of the wait between two polls of a job. The interval grows from `first` by `growth`
// each poll, up to a cap that depends on whether anybody watches, and is then spread by ± `jitter`.
struct PollCurve {
  Duration first = limits::kPollFirst;
  Duration max_watched = limits::kPollMaxWatched;
  Duration max_unwatched = limits::kPollMaxUnwatched;
  double growth = limits::kPollGrowth;
  double jitter = limits::kPollJitter;
  // A job that Pictory once called failed is asked about once more after this long.
  Duration confirm = limits::kFailureConfirmDelay;
  Duration error_first = limits::kPollErrorFirst;
  Duration error_max = limits::kPollErrorMax;

  // A quick curve, for the sandbox on the same machine.
  static PollCurve Sandbox();
};

// The curve for jobs of whose end Pictory tells by a webhook call. It does not rely on any call:
// one that is lost costs at most as long again as the job took, and never more than the higher cap.
PollCurve WithWebhooks(PollCurve curve);

struct PollFacts {
  const JobRecord* record = nullptr;
  int polls = 0;   // made so far
  int errors = 0;  // in a row that said nothing about the job, or nothing that could be read
  bool watched = false;
  pictory::JobReply::Kind outcome = pictory::JobReply::Kind::kRunning;  // of the last poll
  Duration retry_after{0};                                              // that Pictory asked for
  WallTime asked_since{};  // of Asked: a job is not older than this
  // No job is polled more often than this; it is the account's budget, shared out.
  Duration fair_interval{0};
};

// The time from `now` to the next poll. `random` is in [0, 1).
Duration NextPollDelay(const PollCurve& curve, const PollFacts& facts, WallTime now, double random);

// For how many jobs' turns a job waits, if all `jobs` of an account take turns; for one of a tenant
// with less than its share of them (`own` of the jobs, of so many `tenants`), if the tenants do.
constexpr std::size_t FairTurns(std::size_t jobs, std::size_t own, std::size_t tenants) {
  return std::min(jobs, own * tenants);
}

// The time from now to the first poll after a restart: the first polls are spread evenly over a
// window that the budget can bear, which is as long as `turns` jobs take.
Duration FirstPollAfterRestart(const PollCurve& curve, std::size_t turns,
                               double requests_per_second, double random);

}  // namespace gateway::jobs
