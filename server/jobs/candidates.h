// What an UNCONFIRMED job could be: the jobs at Pictory that nobody here owns and that may be
// younger than its submission. Only a list for a person to choose from.
//
// Pictory's list is newest first and tells no times. So it is read until a job comes that is ours
// and was accepted well before the submission: all that follow are older. At most
// limits::kCandidatePagesMax pages are read, each from the account's budget.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "jobs/store.h"
#include "jobs/upstream.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

using CandidatesDone = std::function<void(absl::StatusOr<std::vector<v1::ResolveCandidate>>)>;

// Calls `done` once, on a thread of store or transport. The rest must outlive the call.
void FindCandidates(const JobRecord& unconfirmed, Upstream& upstream, Jobs& jobs,
                    CandidatesDone done);

}  // namespace gateway::jobs
