// FindCandidates lists what an UNCONFIRMED job could be: the jobs at Pictory that no job here owns
// and that may be younger than its submission. A person chooses from the list; nothing is adopted
// by it.
//
// Pictory's list of jobs is newest first and tells no times. So it is read until a job comes that
// is ours and was accepted well before the submission: all that follow are older. At most
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

// Calls `done` once, on a thread of the store or the transport. `jobs` must outlive the call.
void FindCandidates(const JobRecord& unconfirmed, UpstreamPtr upstream, Jobs& jobs,
                    CandidatesDone done);

}  // namespace gateway::jobs
