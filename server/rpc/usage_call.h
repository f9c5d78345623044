// GetUsage tells what a tenant has used of its limits, and what its jobs have used by the values of
// a label.
#pragma once

#include <memory>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void GetUsage(const Caller& caller, std::shared_ptr<v1::GetUsageRequest> request,
              const Reply& reply, const Domain& domain);

}  // namespace gateway::rpc
