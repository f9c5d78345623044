// How a gateway renews its leases, and takes over what gateways that are gone have left
// (jobs::Leases).
#include <chrono>

#include "base/clock.h"
#include "postgres/writes.h"

namespace gateway::postgres {

Renewal Writes::Renew(const Identity& identity, const Seen& seen) {
  Renewal renewal;
  jobs::Holding& holding = renewal.holding;
  const MonoTime before = std::chrono::steady_clock::now();
  const WallTime wall = SystemClock().WallNow();
  const WallTime at_server = RenewLease(connection_, identity, /*shares=*/true);
  holding.ahead = (at_server - wall) - (std::chrono::steady_clock::now() - before) / 2;
  if (before - since_ > identity.times.grace) DeclareGone(connection_, identity);

  ShareHeld share = TakeShare(connection_, identity);
  holding.processes = share.gateways;
  holding.leases = std::move(share.leases);
  renewal.seen.epochs = std::move(share.epochs);
  std::vector<std::int32_t> all, gained;
  for (jobs::Lease& lease : holding.leases) {
    lease.until = before + identity.times.lease - identity.times.margin;
    renewal.seen.shards[lease.shard] = lease.epoch;
    all.push_back(lease.shard);
    const auto held = seen.shards.find(lease.shard);
    if (held == seen.shards.end() || held->second != lease.epoch) gained.push_back(lease.shard);
  }
  // Only these can hold what a process has left that was not there at the last look.
  std::vector<std::int32_t>& looked = renewal.seen.epochs == seen.epochs ? gained : all;
  if (looked.empty()) return renewal;
  const Left left{.gateway = {}, .shards = std::move(looked)};
  EndInterrupted(at_server, left);
  const Rows own =
      connection_.Run(Statement("SELECT jobs_epoch FROM pictory.gateways WHERE gateway = $1")
                          .Bytes(identity.gateway));
  holding.owed = Owe(Owed(at_server, left), own.Int(0, 0));
  return renewal;
}

}  // namespace gateway::postgres
