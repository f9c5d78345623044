// What the answer to a paid request makes of its record: a pure function.
#pragma once

#include "base/clock.h"
#include "jobs/job.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

// `sending` is the record as it was sent.
JobRecord AfterReply(const JobRecord& sending, const pictory::SubmitReply& reply, WallTime now);

// A refusal as it is stored and given again to a retry.
std::string EncodeRefusal(const absl::Status& status);
absl::Status DecodeRefusal(const std::string& encoded);

}  // namespace gateway::jobs
