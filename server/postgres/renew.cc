// How a gateway renews its leases (jobs::Leases).
#include <chrono>

#include "base/clock.h"
#include "postgres/writes.h"

namespace gateway::postgres {

Renewal Writes::Renew(const Identity& identity, const Seen& seen, bool leaves) {
  Renewal renewal;
  jobs::Holding& holding = renewal.holding;
  const BootTime asked = SystemClock().BootNow();
  const MonoTime before = std::chrono::steady_clock::now();
  const WallTime wall = SystemClock().WallNow();
  const WallTime at_server = RenewLease(connection_, identity, /*shares=*/!leaves);
  holding.ahead = (at_server - wall) - (std::chrono::steady_clock::now() - before) / 2;
  if (before - since_ > identity.times.grace) DeclareGone(connection_, identity);

  ShareHeld share = TakeShare(connection_, identity, leaves);
  holding.processes = share.gateways;
  holding.leases = std::move(share.leases);
  renewal.seen.epochs = std::move(share.epochs);
  std::vector<std::int32_t> all, gained;
  for (jobs::Lease& lease : holding.leases) {
    lease.until = asked + identity.times.lease - identity.times.margin;
    renewal.seen.shards[lease.shard] = lease.epoch;
    all.push_back(lease.shard);
    const auto held = seen.shards.find(lease.shard);
    if (held == seen.shards.end() || held->second != lease.epoch) gained.push_back(lease.shard);
  }
  // Only these can hold what a process has left that was not there at the last look.
  renewal.look.shards = renewal.seen.epochs == seen.epochs ? std::move(gained) : std::move(all);
  return renewal;
}

}  // namespace gateway::postgres
