// Follow watches several jobs at once.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "exit_code.h"
#include "pictory_jobs/client.h"
#include "progress.h"

namespace pictory_jobs::cli {

struct FollowOptions {
  JobView view = JobView::JOB_VIEW_BASIC;
  std::optional<std::chrono::milliseconds> timeout;
  std::stop_token stop;
};

// How it ended for one job.
struct Followed {
  std::string job_id;
  std::optional<Job> last;  // state seen last
  absl::Status status;      // of the watch; OK for a final state
};

ExitCode ExitFor(const Followed& followed);

// Blocks until all are done. `each` gets every new state, on the calling thread. A watch has a
// thread of its own meanwhile.
std::vector<Followed> Follow(const Client& client, const std::vector<std::string>& job_ids,
                             const FollowOptions& options, Progress& progress,
                             const std::function<void(const Job&)>& each);

}  // namespace pictory_jobs::cli
