// A person may name a job by the beginning of its id, or as `@last`. These functions make an id of
// that.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "invocation.h"
#include "pictory_jobs/client.h"
#include "request.h"

namespace pictory_jobs::cli {

inline constexpr char kLastJob[] = "@last";

// Whether a name may be the beginning of an id that the gateway makes. Pure.
bool MayBeginId(const std::string& name);
// From when on, and until when, a job was created whose id begins so: ids begin with the time.
// Pure; `name` is one that MayBeginId.
std::pair<absl::Time, absl::Time> CreationOf(const std::string& name);

// Limits a list to the jobs that were created then.
void LimitToBeginning(const std::string& name, ListJobsRequest& filter);

// The id of the job that is named so; the name as it is, where it is no beginning of an id, or
// where nobody knows it: whether there is such a job, the call that is made with it tells.
// INVALID_ARGUMENT with the candidates where several visible jobs begin so, and for an `@last` that
// there is not.
absl::StatusOr<std::string> JobNamed(const Client& client, const std::string& server,
                                     const std::string& name, const CallOptions& call);

// Puts ids into the place of all names of jobs in the arguments and, of a submit, in its request.
absl::Status ResolveJobNames(const Client& client, Invocation& args, SubmitRequest& request,
                             const CallOptions& call);

}  // namespace pictory_jobs::cli
