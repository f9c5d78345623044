// When to poll a job next: a pure function of what is known of it.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

// The interval grows from `first` by `growth` each poll, up to a cap that depends on whether
// anybody watches, and is then spread by ± `jitter`.
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

  // Quick, for the sandbox on the same machine.
  static PollCurve Sandbox();
};

// The curve for jobs that call back when they end. It still counts on no call: one that is lost
// costs at most as long again as the job took, and never more than the higher cap.
PollCurve WithWebhooks(PollCurve curve);

struct PollFacts {
  const JobRecord* record = nullptr;
  int polls = 0;   // made so far
  int errors = 0;  // in a row that said nothing about the job, or nothing that could be read
  bool watched = false;
  pictory::JobReply::Kind outcome = pictory::JobReply::Kind::kRunning;  // of the last poll
  Duration retry_after{0};                                              // that Pictory asked for
  WallTime asked_since{};  // of Asked: a job is not older than this
  // No job is asked more often than this: the account's budget, shared out.
  Duration fair_interval{0};
};

// From now to the next poll. `random` in [0, 1).
Duration NextPollDelay(const PollCurve& curve, const PollFacts& facts, WallTime now, double random);

// From now to the first poll after a restart: spread evenly over a window that the budget can bear.
Duration FirstPollAfterRestart(const PollCurve& curve, std::size_t jobs, double requests_per_second,
                               double random);

}  // namespace gateway::jobs
