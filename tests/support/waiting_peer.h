// What is inside WaitingJobs, for tests that set the stage there or look at it.
#pragma once

#include <cstddef>

#include "jobs/waiting_jobs.h"

namespace gateway::jobs {

class WaitingJobsPeer {
 public:
  // What a look at the other job has found, however old it is by now.
  static void OnFound(WaitingJobs& waiting, const JobKey& key, const SnapshotPtr& other) {
    waiting.OnFound(key, other);
  }
  // Whether nothing is held that jobs which wait share: no place, no byte, no try.
  static bool IsEmpty(const WaitingJobs& waiting) {
    MutexLock lock(waiting.mutex_);
    return waiting.entries_.empty() && waiting.placed_.empty() && waiting.waiting_for_.empty() &&
           waiting.equal_.empty() && waiting.tenants_.empty() && waiting.of_account_.empty() &&
           waiting.all_ == WaitingJobs::Counts{};
  }
};

}  // namespace gateway::jobs
