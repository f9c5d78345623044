// The methods that read jobs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/large_answers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void GetJob(const Caller& caller, std::shared_ptr<v1::GetJobRequest> request, const Reply& reply,
            const Domain& domain);

void ListJobs(const Caller& caller, std::shared_ptr<v1::ListJobsRequest> request,
              const Reply& reply, const Domain& domain);

// What is wrong with the states and kinds that a request chooses jobs by: one of ListJobs or of
// WatchJobs.
std::vector<errors::Violation> ViolationsOfFilter(const v1::ListJobsRequest& request);
std::vector<errors::Violation> ViolationsOfFilter(const v1::WatchJobsRequest& request);

// The store's query for a request, at most one job longer than a page; INVALID_ARGUMENT with all
// that is wrong. Pure.
absl::StatusOr<jobs::ListQuery> ToQuery(const std::string& tenant,
                                        const v1::ListJobsRequest& request);
// The token of the page after the one that ends with `last_job_id`, for the same filters only.
std::string PageToken(const std::string& tenant, const v1::ListJobsRequest& request,
                      const std::string& last_job_id);

// Why a job of this name must not be loaded now: under pressure only what is in memory is read.
absl::Status MayLoad(const Domain& domain, const std::string& tenant, const std::string& name);

// INVALID_ARGUMENT for a view there is not.
absl::Status CheckView(v1::JobView view);

// Makes the response with the FULL result of a job that SUCCEEDED; with the BASIC one if the store
// has no more than that, or more than limits::kFullViewReadMaxBytes of it. RESOURCE_EXHAUSTED, with
// nothing read, if too much is under way to `holder` or to all. Once `cancelled`, which may be
// null, is set, no more work is done. `done` runs on a thread of the store.
void LoadFull(const Domain& domain, jobs::SnapshotPtr snapshot, LargeAnswers::Holder holder,
              std::shared_ptr<const std::atomic<bool>> cancelled,
              std::function<void(absl::StatusOr<jobs::Frame>)> done);

}  // namespace gateway::rpc
