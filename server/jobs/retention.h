// Retention forgets what is old: finished jobs, and the request_ids of submits that made no job.
//
// Of the processes that share a store one does it: who holds shard 0.
//
// It works in small batches with a pause between them, so that no submit ever waits long for it. A
// wall clock that is set forward makes nothing old: time counts as long as the process runs, and
// little more. Thread-safe; what is passed to the constructor must outlive it and, after Stop(),
// the calls in flight.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/limits.h"
#include "base/next_call.h"
#include "jobs/ledger.h"
#include "jobs/shards.h"

namespace gateway::jobs {

struct RetentionOptions {
  Duration finished_kept = limits::kFinishedJobKept;
  Duration request_ids_kept = limits::kRequestIdKept;  // finished jobs are kept at least as long
};

class Retention {
 public:
  // `pruned`, if given, hears how many records each batch removed.
  Retention(RetentionOptions options, const Shards& shards, Ledger& ledger, const Clock& clock,
            Timers& timers, std::function<void(std::size_t)> pruned);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // `last_answered`, if it is known, is a time at which the clock was right: see Asked.
  void Start(WallTime last_answered = {});
  void Stop() { next_.Stop(); }

 private:
  void Schedule(Duration delay);
  // Now, as far as the clock can be trusted.
  WallTime Now() const;
  void PruneOnce();

  const RetentionOptions options_;
  const Shards& shards_;
  Ledger& ledger_;
  const Clock& clock_;
  const std::function<void(std::size_t)> pruned_;
  WallTime began_wall_{};  // both set by Start, before any timer
  MonoTime began_{};
  NextCall next_;
};

}  // namespace gateway::jobs
