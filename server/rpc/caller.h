// Who calls, until when, and what its metadata say.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "grpcpp/server_context.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

struct Caller {
  std::string tenant;
  MonoTime deadline{};          // never without one
  bool own_deadline = false;    // the caller set it, and the library enforces it
  std::string idempotency_key;  // metadata `idempotency-key`; "" if there is none
  // The call says of itself that it is the retry of an earlier one: a client library's
  // (grpc-previous-rpc-attempts) or a mesh's (x-envoy-attempt-count).
  bool is_retry = false;
  bool mesh_retries = false;
  std::string mesh_request_id;  // x-request-id; the same for all attempts of a mesh
};

absl::StatusOr<Caller> Identify(const grpc::CallbackServerContext& context, const Domain& domain);

// Something a job may be called, by us or by Pictory; else what is wrong with the field.
absl::Status CheckJobName(std::string_view name);

}  // namespace gateway::rpc
