// The gateways of one store. Each has a row of pictory.gateways with a lease, by the database's
// clock, which is the lease of all its shards: a row of pictory.shards only says whose a shard is,
// and changes only when the shard moves. A shard is free if it is nobody's, or of a gateway whose
// lease has run out.
//
// A gateway whose lease has been over for long is declared gone: its sessions are ended, and others
// end its attempts. If it comes back, as after a stop or a cut, it goes on with new sessions; of
// what it held nothing is its own any more. A row with another epoch is a newer process of the same
// name, and final.
//
// These functions throw Error, TakenOver and Forgotten. Unless they say otherwise they are for a
// transaction of the caller's, of READ COMMITTED.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/store.h"
#include "postgres/connection.h"

namespace gateway::postgres {

struct LeaseTimes {
  Duration lease = limits::kStoreLease;
  Duration renewal = limits::kStoreLeaseRenewal;
  Duration grace = limits::kStoreLeaseGrace;
  Duration margin = limits::kStoreLeaseMargin;
};

// The gateway that uses a store.
struct Identity {
  std::string gateway;  // the same at each start, of one process at a time
  std::string address;  // where it runs, for people
  std::int64_t epoch = 0;
  bool copying = false;  // it is no gateway, but copies the store
  bool sandbox = false;  // whether its jobs are the sandbox's
  LeaseTimes times;
};

// The database's clock, in SQL.
inline constexpr char kNowSql[] = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

// Begins a transaction that does not wait for others for long.
void BeginShort(Connection& connection);

// Takes a lease for a process that starts, in a transaction of its own; sets `identity.epoch`. A
// process of the same name writes nothing from then on. FAILED_PRECONDITION if the store is being
// copied, or was moved elsewhere.
absl::Status TakeLease(Connection& connection, Identity& identity);

// Renews the lease, and gives back the database's time. If it had run out, the gateway holds no
// shards any more. `shares`: whether it takes its share of them from now on; nullopt: as before.
WallTime RenewLease(Connection& connection, const Identity& identity,
                    std::optional<bool> shares = std::nullopt);

// The same in a transaction of its own.
void RenewLeaseAlone(Connection& connection, const Identity& identity);

// Gives up all shards of the gateway.
void GiveUpShards(Connection& connection, const std::string& gateway);

// Declares gateways gone whose lease has been over for the grace. To be called by who has had its
// own connection for longer than that: after an outage of the server nobody is to blame.
void DeclareGone(Connection& connection, const Identity& identity);

// What a gateway holds.
struct ShareHeld {
  std::vector<jobs::Lease> leases;   // without `until`, by shard
  int gateways = 1;                  // that have recovered, and a lease
  std::vector<std::int64_t> epochs;  // gateways.jobs_epoch of all that are not gone, sorted
};

// Takes free shards, or gives some back, until the gateway has its share of all. One that `leaves`
// has none, unless nobody else would take them.
ShareHeld TakeShare(Connection& connection, const Identity& identity, bool leaves);

}  // namespace gateway::postgres
