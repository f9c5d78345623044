// What becomes of a record whose attempt to submit ended: with its process, or without anything
// sent. Every store asks these.
#pragma once

#include <optional>

#include "base/clock.h"
#include "jobs/job.h"

namespace gateway::jobs {

// What the record becomes because the process that had its attempt is gone. None if it had none. It
// names the version that it changes, as every write does.
std::optional<JobRecord> Interrupted(JobRecord record, WallTime now);

// What `known` becomes because `wanted`, a submit under its request_id, runs in its place. None if
// it does not: `known` may have been sent, was refused, or is another request. It names the version
// that it changes.
std::optional<JobRecord> BeginAgain(const JobRecord& known, JobRecord wanted);

}  // namespace gateway::jobs
