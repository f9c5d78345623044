// GetServerInfo tells a caller what the server is and what stands in the caller's way.
#pragma once

#include <memory>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void GetServerInfo(const Caller& caller, std::shared_ptr<v1::GetServerInfoRequest> request,
                   const Reply& reply, const Domain& domain);

}  // namespace gateway::rpc
