// BatchGetJobs reads several jobs at once.
#pragma once

#include <memory>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void BatchGetJobs(const Caller& caller, std::shared_ptr<v1::BatchGetJobsRequest> request,
                  const Reply& reply, const Domain& domain);

}  // namespace gateway::rpc
