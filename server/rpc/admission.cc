#include "rpc/admission.h"

#include <algorithm>

#include "base/errors.h"
#include "rpc/peer.h"
#include "rpc/pressure.h"
#include "rpc/status.h"

namespace gateway::rpc {

using std::chrono::milliseconds;

Admission::Admission(AdmissionLimits limits, Random& random, Shedding* shedding)
    : random_(random), shedding_(shedding) {
  const auto fill = [](Refusals& refusals, auto error, int max, const char* what) {
    for (std::size_t i = 0; i < refusals.size(); ++i) {
      refusals[i] =
          ToGrpc(error(what, max, milliseconds(500 + 250 * static_cast<std::int64_t>(i))));
    }
  };
  const auto prepare = [&](Kind kind, int max, const char* what) {
    Gate& gate = GateOf(kind);
    gate.max = max;
    fill(gate.refusals, errors::TooMany, max, what);
    fill(gate.tenant_refusals, errors::TooManyOfTenant, max, what);
  };
  const auto prepare_shared = [&](Kind kind, int max, const char* what) {
    prepare(kind, max, what);
    Gate& gate = GateOf(kind);
    gate.peer_max = std::max(1, max / limits::kPeerShareDivisor);
    fill(gate.peer_refusals, errors::TooManyOfPeer, gate.peer_max, what);
  };
  const auto shed_as = [&](Kind kind, Shed what) {
    Gate& gate = GateOf(kind);
    gate.shed = what;
    for (grpc::Status& refusal : gate.shed_refusals) {
      refusal = ToGrpc(errors::Overloaded(WordsFor(what), ShedRetryAfter(random.Uniform())));
    }
  };
  prepare(Kind::kCall, limits.calls, "calls");
  prepare(Kind::kSubmit, limits.submits, "submits");
  prepare(Kind::kWatch, limits.watches, "watches");
  prepare_shared(Kind::kResult, limits.results, "results being read");
  prepare_shared(Kind::kHealthWatch, limits.health_watches, "watches of the health");
  prepare_shared(Kind::kReflection, limits.reflections, "reflection streams");
  shed_as(Kind::kSubmit, Shed::kSubmits);
  shed_as(Kind::kWatch, Shed::kWatches);
  shed_as(Kind::kResult, Shed::kReads);
}

Admission::Ticket Admission::Enter(Kind kind, const Who& who, int places) {
  Gate& gate = GateOf(kind);
  if (IsShed(gate)) return Ticket(Next(gate, gate.shed_refusals));
  const bool by_peer = gate.peer_max > 0 && who.tenant.empty();
  Holder holder{.peer = by_peer ? PeerAddress(who.peer) : "", .tenant = std::string(who.tenant)};
  if (const Refusals* const refusals = Count(gate, places, holder)) {
    return Ticket(Next(gate, *refusals));
  }
  if (gate.open.fetch_add(places, std::memory_order_relaxed) <= gate.max - places) {
    return Ticket(&gate, places, std::move(holder));
  }
  Leave(gate, places, holder);
  return Ticket(Next(gate, gate.refusals));
}

const Admission::Refusals* Admission::Count(Gate& gate, int places, const Holder& holder) {
  if (holder.peer.empty() && holder.tenant.empty()) return nullptr;
  MutexLock lock(gate.mutex);
  const auto held_by = [](const auto& held, const std::string& name) {
    const auto found = held.find(name);
    return found == held.end() ? 0 : found->second;
  };
  if (!holder.peer.empty() && held_by(gate.of_peer, holder.peer) + places > gate.peer_max) {
    return &gate.peer_refusals;
  }
  if (!holder.tenant.empty()) {
    const int free = gate.max - gate.open.load(std::memory_order_relaxed);
    if (free < places) return &gate.refusals;
    if (held_by(gate.of_tenant, holder.tenant) + places > free - places + 1) {
      return &gate.tenant_refusals;
    }
    gate.of_tenant[holder.tenant] += places;
  }
  if (!holder.peer.empty()) gate.of_peer[holder.peer] += places;
  return nullptr;
}

void Admission::Leave(Gate& gate, int places, const Holder& holder) {
  gate.open.fetch_sub(places, std::memory_order_relaxed);
  if (holder.peer.empty() && holder.tenant.empty()) return;
  MutexLock lock(gate.mutex);
  const auto leave = [places](auto& held, const std::string& name) {
    if (name.empty()) return;
    const auto found = held.find(name);
    if ((found->second -= places) == 0) held.erase(found);
  };
  leave(gate.of_peer, holder.peer);
  leave(gate.of_tenant, holder.tenant);
}

const grpc::Status& Admission::Next(Gate& gate, const Refusals& refusals) {
  return refusals[gate.next_refusal.fetch_add(1, std::memory_order_relaxed) % refusals.size()];
}

int Admission::open(Kind kind) const {
  return gates_[static_cast<std::size_t>(kind)].open.load(std::memory_order_relaxed);
}

absl::Status Admission::DrainStatus() const {
  return errors::Draining(milliseconds(static_cast<std::int64_t>(1 + random_.Uniform() * 999)));
}

}  // namespace gateway::rpc
