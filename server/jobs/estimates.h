// Estimates knows how long the past jobs of each account and kind took, and tells with each job
// that has not ended when it may end (jobs/estimate.h).
//
// It counts each job that it sees end, whichever process has ended it, and in the beginning some of
// the store's newest: those of a tenant are read once, when its first job comes, so a start costs
// no scan. What it knows is bounded and kept nowhere: an estimate changes with time, so it is in no
// snapshot and no record, and raises no revision. It is added when a job is handed out.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it and the calls in
// flight.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/durations.h"
#include "jobs/job.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"

namespace gateway::jobs {

class Estimates {
 public:
  // A job that has not changed for less than `quiet_least` is never said to stand still.
  Estimates(Duration quiet_least, Jobs& jobs, const Clock& clock);
  Estimates(const Estimates&) = delete;
  Estimates& operator=(const Estimates&) = delete;

  // The tenant has a job that has not ended. The first call has its past jobs read.
  void OnTenant(const std::string& tenant);
  // Nothing is read any more.
  void Stop();
  // A job has ended. Called once for each.
  void OnEnded(const JobRecord& record);
  // Pictory can be asked again about the jobs of this account.
  void OnBack(const std::string& account);

  // The estimate for a job, if there is one. `degraded`: Pictory cannot be asked about it.
  std::optional<v1::JobEstimate> Of(const JobRecord& record, bool degraded);
  std::optional<v1::JobEstimate> Of(const Snapshot& job, bool degraded);

  // JobFrame with the estimate. All who ask for the same state within limits::kEstimateKept share
  // its bytes.
  Frame FrameOf(const SnapshotPtr& job, bool degraded);

 private:
  using Kind = std::pair<std::string, JobKind>;  // of which account
  struct Past {
    Durations durations;
    std::uint64_t used = 0;  // when a job was counted last, in `uses_`
  };
  // A frame that was made a moment ago.
  struct Made {
    Mutex mutex;
    SnapshotPtr job GUARDED_BY(mutex);
    bool degraded GUARDED_BY(mutex) = false;
    MonoTime until GUARDED_BY(mutex){};
    Frame frame GUARDED_BY(mutex);
  };

  std::optional<v1::JobEstimate> Make(const Kind& kind, JobState state, WallTime sent_at,
                                      WallTime update_time, bool degraded);
  Past& PastOf(const Kind& kind) REQUIRES(mutex_);
  void ReadNext();
  void OnRead(const absl::StatusOr<std::vector<JobRecord>>& newest);

  const Duration quiet_least_;
  Jobs& jobs_;
  const Clock& clock_;
  const WallTime began_;

  Mutex mutex_;
  std::map<Kind, Past> past_ GUARDED_BY(mutex_);
  std::uint64_t uses_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, WallTime> back_ GUARDED_BY(mutex_);     // by account
  std::unordered_set<std::string> tenants_ GUARDED_BY(mutex_);  // that are read, or will be
  std::deque<std::string> to_read_ GUARDED_BY(mutex_);
  bool reading_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;

  std::array<Made, limits::kEstimateFramesKept> made_;
};

// The frame of a job, with its estimate if there are estimates.
inline Frame FrameOf(Estimates* estimates, const SnapshotPtr& job, bool degraded) {
  return estimates == nullptr ? JobFrame(job, degraded) : estimates->FrameOf(job, degraded);
}

}  // namespace gateway::jobs
