// These functions find out who makes a call before anything of its request is read.
#pragma once

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "rpc/handlers.h"
#include "tenants/principal.h"

namespace gateway::rpc {

// Who makes the call, from its connection and its metadata; see tenants::Identify.
absl::StatusOr<tenants::PrincipalPtr> IdentifyCaller(const grpc::ServerContextBase& context,
                                                     const Domain& domain);

// The same, and whether it may call `method`, which needs `role`, now. Where callers pay, the
// account of the principal is that of the Pictory key which the call shows.
absl::StatusOr<tenants::PrincipalPtr> LetIn(const grpc::ServerContextBase& context,
                                            std::string_view method, tenants::Role role,
                                            const Domain& domain);

}  // namespace gateway::rpc
