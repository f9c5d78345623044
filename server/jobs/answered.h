// What a reply about one job means to whoever asked about that job by name.
#pragma once

#include "absl/status/status.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

// Pictory spoke, and knows the job.
bool KnowsJob(pictory::JobReply::Kind kind);

// Of a reply in which Pictory said nothing about the job.
absl::Status WhyUnanswered(const pictory::JobReply& reply);

}  // namespace gateway::jobs
