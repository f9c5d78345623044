// These functions say what becomes of a record whose attempt to submit has ended, with its process
// or without anything sent. Every store calls them.
#pragma once

#include <optional>

#include "base/clock.h"
#include "jobs/job.h"

namespace gateway::jobs {

// What the record becomes because the process that ran its attempt is gone; nullopt if no attempt
// was under way. The result names the version that it changes, as every write does.
std::optional<JobRecord> Interrupted(JobRecord record, WallTime now);

// What `known` becomes when `wanted`, a submit under its request_id, runs in its place. Nullopt if
// that must not run: `known` may have been sent, was refused, or is another request. The result
// names the version that it changes.
std::optional<JobRecord> BeginAgain(const JobRecord& known, JobRecord wanted);

}  // namespace gateway::jobs
