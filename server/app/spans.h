// These functions make the spans of calls, submissions and the phases of jobs. A span is made when
// it has ended, and only if its trace is sampled.
//
//   the caller's span → call → submission (to Pictory)
//                        ⇠ phases of the job: WAITING, QUEUED, RUNNING, UNCONFIRMED
//
// A phase outlives the call, often by far, so it is no part of it: each has a trace of its own, and
// links to the call that made the job. So has the submission of a job that has waited.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "jobs/job.h"
#include "obs/span.h"
#include "rpc/handlers.h"

namespace gateway::app {

// Of a call that has ended now. nullopt: none is wanted, or the call has no span of its own.
std::optional<obs::Span> SpanOfCall(const rpc::CallEnd& end, WallTime now);

// Of a submission that Pictory has answered now, or that it certainly will not answer any more.
std::optional<obs::Span> SpanOfSubmission(const jobs::JobRecord& record, std::string_view outcome,
                                          WallTime now, Random& random);

// PhaseSpans knows since when each traced job is in its state. Thread-safe.
class PhaseSpans {
 public:
  // `random` must outlive it. `take` gets each span that has ended, under no lock.
  PhaseSpans(Random& random, std::function<void(obs::Span)> take)
      : random_(random), take_(std::move(take)) {}

  // The record has changed in a way that callers see, or was found at a start.
  void OnChange(const jobs::JobRecord& record) EXCLUDES(mutex_);

 private:
  struct Phase {
    jobs::JobState state;
    WallTime since;
  };

  Random& random_;
  const std::function<void(obs::Span)> take_;
  Mutex mutex_;
  std::unordered_map<std::string, Phase> phases_ GUARDED_BY(mutex_);  // by job_id
};

}  // namespace gateway::app
