#include "rpc/admission.h"

#include "base/errors.h"
#include "rpc/status.h"

namespace gateway::rpc {

using std::chrono::milliseconds;

Admission::Admission(AdmissionLimits limits, Random& random) : random_(random) {
  const auto prepare = [](Gate& gate, int max, const char* what) {
    gate.max = max;
    for (std::size_t i = 0; i < gate.refusals.size(); ++i) {
      gate.refusals[i] = ToGrpc(
          errors::TooMany(what, max, milliseconds(500 + 250 * static_cast<std::int64_t>(i))));
    }
  };
  prepare(calls_, limits.calls, "calls");
  prepare(watches_, limits.watches, "watches");
}

Admission::Ticket Admission::Enter(Kind kind) {
  Gate& gate = GateOf(kind);
  if (gate.open.fetch_add(1, std::memory_order_relaxed) < gate.max) return Ticket(&gate);
  gate.open.fetch_sub(1, std::memory_order_relaxed);
  return Ticket();
}

const grpc::Status& Admission::Refusal(Kind kind) {
  Gate& gate = GateOf(kind);
  return gate
      .refusals[gate.next_refusal.fetch_add(1, std::memory_order_relaxed) % gate.refusals.size()];
}

int Admission::open(Kind kind) const {
  return (kind == Kind::kWatch ? watches_ : calls_).open.load(std::memory_order_relaxed);
}

absl::Status Admission::DrainStatus() const {
  return errors::Draining(milliseconds(static_cast<std::int64_t>(1 + random_.Uniform() * 999)));
}

}  // namespace gateway::rpc
