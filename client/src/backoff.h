// Backoff says when to try again. It is pure but for the Pacing it is given, and not thread-safe:
// each call has its own.
#pragma once

#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "pictory_jobs/options.h"

namespace pictory_jobs {

// Full jitter between 0.2 s and a ceiling that doubles with each failure up to 5 s. `failures`
// counts those before, `uniform` is in [0, 1).
std::chrono::nanoseconds JitteredDelay(int failures, double uniform);

// The delay that the gateway asked for and a little more, so that its clients do not come back all
// at once; else the jittered delay.
std::chrono::nanoseconds DelayAfter(const absl::Status& status, int failures, double uniform);

enum class Repeatable {
  kAlways,     // reads, and submits with their request_id
  kIfNotDone,  // only where the gateway itself says that nothing was done (RetryInfo)
};

class Backoff {
 public:
  Backoff(RetryOptions options, Repeatable repeatable, const Pacing& pacing)
      : options_(options), repeatable_(repeatable), pacing_(pacing) {}

  // How long to wait before the next attempt; unset if there is to be none. `out_of_time` is
  // whether the deadline we set for this attempt has passed: then no proxy is to blame for it.
  std::optional<std::chrono::nanoseconds> Next(const absl::Status& status, bool out_of_time);
  // Says that something was achieved since the last failure.
  void Reset();

 private:
  bool WorthRepeating(const absl::Status& status, bool out_of_time) const;

  const RetryOptions options_;
  const Repeatable repeatable_;
  const Pacing& pacing_;
  int failures_ = 0;
  std::chrono::nanoseconds waited_{0};
};

}  // namespace pictory_jobs
