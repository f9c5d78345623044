// The jobs that the flags of a command choose, and the consent to do something to all of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pictory_jobs/job.h"
#include "session.h"

namespace pictory_jobs::cli {

// The filter of --state, --kind, --label, --since and --before.
ListJobsRequest FilterOf(const Invocation& args);

struct ChosenJobs {
  std::vector<Job> jobs;  // newest first
  bool more = false;      // than these
};
// At most `most` of them.
absl::StatusOr<ChosenJobs> ChooseJobs(const Session& session, ListJobsRequest filter,
                                      std::size_t most);

// Shows what would be done to the jobs: with --json an object for each, `{"would":…,"job":…}`, else
// a table.
void ShowChosen(const Session& session, const char* would, const ChosenJobs& chosen);

// Whether it is to be done: --yes says so, or a person who is asked and types the number. Who
// cannot be asked is told of --yes.
bool IsConfirmed(const Session& session, std::size_t count);

// `8 SUCCEEDED, 4 FAILED`.
std::string CountsByState(const std::vector<Job>& jobs);

}  // namespace pictory_jobs::cli
