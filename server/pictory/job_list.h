// A page of Pictory's job list, as a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

// One row of Pictory's job list.
struct ListedJob {
  std::string pictory_job_id;
  std::string status;
  ::pictory::jobs::v1::JobKind shown_kind = ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED;
};
struct JobList {
  std::vector<ListedJob> jobs;
  std::string next_page_key;  // empty at the end
};

// Reads a page of GET /v1/jobs: pure. UNAVAILABLE if it is not readable.
absl::StatusOr<JobList> ReadJobList(std::string_view body);

}  // namespace gateway::pictory
