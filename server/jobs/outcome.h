// What the answer to a paid request, or a decision about it, makes of its record: pure functions.
#pragma once

#include "base/clock.h"
#include "jobs/job.h"
#include "pictory/submit_reply.h"

namespace gateway::jobs {

// `sending` is the record as it was sent, or what has become of it meanwhile: UNCONFIRMED because
// callers could not wait, or decided by somebody who resolved it.
JobRecord AfterReply(const JobRecord& sending, const pictory::SubmitReply& reply, WallTime now);

// What settling makes of a record that is in doubt.
JobRecord Adopted(const JobRecord& unconfirmed, const std::string& pictory_job_id, WallTime now);
JobRecord Abandoned(const JobRecord& unconfirmed, WallTime now);

// A job that Pictory knows and that was not submitted here, before anything is known of it but
// that. Tenant and job_id are left to the caller.
JobRecord FoundAtPictory(const std::string& pictory_job_id, WallTime now);

// `submitted`, which has not ended, is about to be stored with the Pictory id of `adopted`: they
// are one job. It goes on from what callers have seen of either.
JobRecord TakingOver(const JobRecord& submitted, const JobRecord& adopted);

// A refusal as it is stored and given again to a retry.
std::string EncodeRefusal(const absl::Status& status);
absl::Status DecodeRefusal(const std::string& encoded);

}  // namespace gateway::jobs
