// These functions say what Pictory's reply about one job means to a caller who asked about that job
// by name.
#pragma once

#include "absl/status/status.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

// Whether Pictory answered and knows the job.
bool KnowsJob(pictory::JobReply::Kind kind);

// The error for a caller, of a reply in which Pictory said nothing about the job.
absl::Status WhyUnanswered(const pictory::JobReply& reply);

}  // namespace gateway::jobs
