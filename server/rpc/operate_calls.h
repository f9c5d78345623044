// ResolveJob and DeleteJob decide over jobs. Each such call is told to the domain, for the audit,
// with the job's state before and after, whatever became of it.
#pragma once

#include <memory>

#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void ResolveJob(const Caller& caller, std::shared_ptr<v1::ResolveJobRequest> request,
                const Reply& reply, const Domain& domain);
void DeleteJob(const Caller& caller, std::shared_ptr<v1::DeleteJobRequest> request,
               const Reply& reply, const Domain& domain);

}  // namespace gateway::rpc
