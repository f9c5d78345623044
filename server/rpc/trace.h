// These functions find the trace of a call.
#pragma once

#include "base/trace_context.h"
#include "grpcpp/server_context.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

// What the call's metadata say.
TraceContext TraceSent(const grpc::ServerContextBase& context);

// The same, or where spans are made a span of the call's own in that trace. A call that `begins` a
// trace does so if it came in none.
TraceContext TraceOf(const grpc::ServerContextBase& context, bool begins, const Domain& domain);

}  // namespace gateway::rpc
