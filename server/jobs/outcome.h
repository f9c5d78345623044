// These pure functions say what the answer to a submit, or a decision about it, makes of its
// record.
#pragma once

#include "base/clock.h"
#include "jobs/job.h"
#include "pictory/submit_reply.h"

namespace gateway::jobs {

// `sending` is the record as it was sent, or what has become of it meanwhile: UNCONFIRMED because
// callers could not wait, or decided by somebody who resolved it.
JobRecord AfterReply(const JobRecord& sending, const pictory::SubmitReply& reply, WallTime now);

// What resolving makes of an unconfirmed record.
JobRecord Adopted(const JobRecord& unconfirmed, const std::string& pictory_job_id, WallTime now);
JobRecord Abandoned(const JobRecord& unconfirmed, WallTime now);

// What becomes of a record that waits (kWaiting, or kSending once nothing was sent): it goes on
// waiting, is cancelled, or fails for a reason that stays. In the last two nothing was ever sent.
JobRecord WaitingOn(const JobRecord& sending);
JobRecord Cancelled(const JobRecord& waiting, WallTime now);
JobRecord NeverSent(const JobRecord& waiting, std::string code, std::string why, WallTime now);

// Whether what kept a waiting job from being sent may pass, so that it goes on waiting.
bool MayPass(const absl::Status& why);

// The record of a job that was not submitted here and of which nothing is known but that Pictory
// knows it. Tenant and job_id are left to the caller.
JobRecord FoundAtPictory(const std::string& pictory_job_id, WallTime now);

// What `submitted` becomes when it takes over `adopted`. `submitted` has not ended and is about to
// be stored with the Pictory id of `adopted`: they are one job, which goes on from what callers
// have seen of either. A result of `adopted` was read as one of the kind of `submitted`.
JobRecord TakingOver(const JobRecord& submitted, const JobRecord& adopted);

// A refusal as it is stored, and as a retry gets it again.
std::string EncodeRefusal(const absl::Status& status);
absl::Status DecodeRefusal(const std::string& encoded);

}  // namespace gateway::jobs
