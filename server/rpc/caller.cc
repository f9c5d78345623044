#include "rpc/caller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "rpc/peer.h"

namespace gateway::rpc {
namespace {

constexpr char kIdempotencyKey[] = "idempotency-key";
constexpr char kPreviousAttempts[] = "grpc-previous-rpc-attempts";
constexpr char kEnvoyAttempt[] = "x-envoy-attempt-count";
constexpr char kMeshRequestId[] = "x-request-id";

// The value of a metadata key; "" if it is not there.
std::string Text(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

int Number(const std::string& text) {
  int value = 0;
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

}  // namespace

Caller CallerOf(const grpc::CallbackServerContext& context, tenants::PrincipalPtr principal,
                TraceContext trace, const Domain& domain) {
  Caller caller;
  caller.trace = std::move(trace);
  caller.tenant = principal->tenant;
  caller.principal = std::move(principal);
  caller.peer = PeerName(context, domain);
  caller.owner = {.tenant = caller.principal->tenant,
                  .account = caller.principal->account,
                  .adopts = caller.principal->adopts,
                  .alone = caller.principal->alone};

  // gRPC gives deadlines by the wall clock; only the time left counts. Absurdly far deadlines count
  // as none, because they must not overflow.
  const auto now = std::chrono::system_clock::now();
  const auto deadline = context.deadline();
  caller.own_deadline = deadline < now + std::chrono::hours(24);
  const Duration left = caller.own_deadline ? std::max<Duration>(Duration::zero(), deadline - now)
                                            : Duration(limits::kUnaryDefaultDeadline);
  caller.deadline = domain.clock.Now() + left;

  caller.idempotency_key = Text(context, kIdempotencyKey);
  caller.more_keys = context.client_metadata().count(kIdempotencyKey) > 1;
  caller.retry.by_library = Number(Text(context, kPreviousAttempts)) > 0;
  caller.retry.by_mesh = Number(Text(context, kEnvoyAttempt)) > 1;
  caller.retry.mesh_request_id = Text(context, kMeshRequestId);
  // The id is longer than any mesh makes them, so it is not kept.
  if (caller.retry.mesh_request_id.size() > limits::kCallerIdMaxBytes) {
    caller.retry.mesh_request_id.clear();
  }
  return caller;
}

absl::Status CheckKeyOf(const Caller& caller, std::string_view job_id, std::string_view account) {
  if (!caller.principal->callers_pay || account == caller.owner.account) return absl::OkStatus();
  return errors::PictoryKeyOfAnother(job_id);
}

absl::Status CheckJobName(std::string_view name) {
  if (name.empty()) return errors::Invalid("job_id", "is required");
  if (IsUpstreamId(name)) return absl::OkStatus();
  return errors::Invalid("job_id", kUpstreamIdRule);
}

}  // namespace gateway::rpc
