// WatchJobs lists the jobs that fit a filter, and then sends each change of them.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/watch_call.h"
#include "watch/jobs_stream.h"

namespace gateway::rpc {

// What is wrong with a request; OK if nothing. Its resume_token is looked at later, because it
// belongs to a tenant.
absl::Status CheckWatchJobs(const v1::WatchJobsRequest& request);

// How many places it takes among the open watches because of the ids that it names, beside its own.
int MorePlacesOf(const v1::WatchJobsRequest& request);

// `domain` must outlive the stream.
std::shared_ptr<watch::JobsStream> MakeWatchJobs(const WatchLimits& limits, const Caller& caller,
                                                 const v1::WatchJobsRequest& request,
                                                 watch::StreamSink& sink, const Domain& domain);

void BeginWatchJobs(const std::shared_ptr<watch::JobsStream>& stream, const Caller& caller,
                    const v1::WatchJobsRequest& request, const Domain& domain);

}  // namespace gateway::rpc
