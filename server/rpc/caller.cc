#include "rpc/caller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"

namespace gateway::rpc {
namespace {

constexpr char kDefaultTenant[] = "default";
constexpr char kIdempotencyKey[] = "idempotency-key";

}  // namespace

absl::StatusOr<Caller> Identify(const grpc::CallbackServerContext& context, const Domain& domain) {
  Caller caller;
  caller.tenant = kDefaultTenant;
  if (domain.identify) {
    absl::StatusOr<std::string> tenant = domain.identify(context);
    if (!tenant.ok()) return tenant.status();
    caller.tenant = *std::move(tenant);
  }

  // gRPC speaks of the wall clock; only the time left counts. Absurdly far ones count as none:
  // they must not overflow.
  const auto now = std::chrono::system_clock::now();
  const auto deadline = context.deadline();
  caller.own_deadline = deadline < now + std::chrono::hours(24);
  const Duration left = caller.own_deadline ? std::max<Duration>(Duration::zero(), deadline - now)
                                            : Duration(limits::kUnaryDefaultDeadline);
  caller.deadline = domain.clock.Now() + left;

  const auto& metadata = context.client_metadata();
  if (const auto key = metadata.find(kIdempotencyKey); key != metadata.end()) {
    caller.idempotency_key.assign(key->second.data(), key->second.size());
  }
  return caller;
}

absl::Status CheckJobName(std::string_view name) {
  if (name.empty()) return errors::Invalid("job_id", "is required");
  if (IsUpstreamId(name)) return absl::OkStatus();
  return errors::Invalid("job_id",
                         "must be a job_id or Pictory's id of a job: 1 to 256 visible ASCII "
                         "characters, and not . or ..");
}

}  // namespace gateway::rpc
