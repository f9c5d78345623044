#include "postgres/lease.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "postgres/copy_rows.h"

namespace gateway::postgres {
namespace {

std::int64_t Micros(Duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

void BeginShort(Connection& connection) {
  connection.Script(
      "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning;"
      " SET LOCAL lock_timeout = '2s';"
      " SET LOCAL idle_in_transaction_session_timeout = '10s'");
}

absl::Status TakeLease(Connection& connection, Identity& identity) {
  BeginShort(connection);
  // It comes from the same count as the numbers of writers, so that no epoch comes twice.
  identity.epoch =
      connection.Run("UPDATE pictory.store SET last_writer = last_writer + 1 RETURNING last_writer")
          .Int(0, 0);
  if (!identity.copying) {
    if (absl::Status admitted = Admit(connection); !admitted.ok()) {
      connection.Rollback();
      return admitted;
    }
  }
  connection.Run(
      Statement(absl::StrCat("INSERT INTO pictory.gateways (gateway, epoch, lease_until, address)"
                             " VALUES ($1, $2, ",
                             kNowSql,
                             " + $3, $4) ON CONFLICT (gateway) DO UPDATE SET"
                             " epoch = excluded.epoch, lease_until = excluded.lease_until,"
                             " address = excluded.address, gone_at = NULL, shares = false"))
          .Bytes(identity.gateway)
          .Int(identity.epoch)
          .Int(Micros(identity.times.lease))
          .Bytes(identity.address));
  GiveUpShards(connection, identity.gateway);
  // From here on no session of this gateway's last start commits.
  connection.Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNowSql,
                                        " WHERE ended_at IS NULL AND gateway = $1"))
                     .Bytes(identity.gateway));
  connection.Commit();
  return absl::OkStatus();
}

WallTime RenewLease(Connection& connection, const Identity& identity, std::optional<bool> shares) {
  const Rows held = connection.Run(
      Statement(absl::StrCat("SELECT lease_until <= ", kNowSql,
                             ", epoch FROM pictory.gateways WHERE gateway = $1 FOR UPDATE"))
          .Bytes(identity.gateway));
  if (held.size() == 0) throw Forgotten();
  if (held.Int(0, 1) != identity.epoch) throw TakenOver();
  const Rows renewed = connection.Run(
      Statement(absl::StrCat("UPDATE pictory.gateways SET lease_until = ", kNowSql,
                             " + $2, gone_at = NULL, shares = CASE WHEN $3 THEN $4 ELSE shares END"
                             " WHERE gateway = $1 RETURNING lease_until - $2"))
          .Bytes(identity.gateway)
          .Int(Micros(identity.times.lease))
          .Bool(shares.has_value())
          .Bool(shares.value_or(false)));
  // Others may be taking them just now.
  if (held.Bool(0, 0)) GiveUpShards(connection, identity.gateway);
  return renewed.Time(0, 0);
}

void RenewLeaseAlone(Connection& connection, const Identity& identity) {
  BeginShort(connection);
  RenewLease(connection, identity);
  connection.Commit();
}

void GiveUpShards(Connection& connection, const std::string& gateway) {
  connection.Run(Statement("UPDATE pictory.shards SET owner = '' WHERE owner = $1").Bytes(gateway));
}

void DeclareGone(Connection& connection, const Identity& identity) {
  // Who has locked a row is at work on it, and is looked at the next time.
  const Rows late = connection.Run(
      Statement(absl::StrCat("SELECT gateway FROM pictory.gateways WHERE gateway <> $1"
                             " AND gone_at IS NULL AND lease_until + $2 < ",
                             kNowSql, " FOR UPDATE SKIP LOCKED"))
          .Bytes(identity.gateway)
          .Int(Micros(identity.times.grace)));
  for (int row = 0; row < late.size(); ++row) {
    const std::string gateway(late.Bytes(row, 0));
    connection.Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNowSql,
                                          " WHERE writer IN (SELECT writer FROM pictory.writers"
                                          " WHERE gateway = $1 AND ended_at IS NULL"
                                          " FOR UPDATE SKIP LOCKED)"))
                       .Bytes(gateway));
    connection.Run(
        Statement(absl::StrCat("UPDATE pictory.gateways SET gone_at = ", kNowSql,
                               " WHERE gateway = $1 AND NOT EXISTS (SELECT 1 FROM pictory.writers"
                               " WHERE gateway = $1 AND ended_at IS NULL)"))
            .Bytes(gateway));
  }
}

ShareHeld TakeShare(Connection& connection, const Identity& identity, bool leaves) {
  ShareHeld share;
  const Rows gateways =
      connection.Run(Statement(absl::StrCat("SELECT jobs_epoch, lease_until > ", kNowSql,
                                            ", shares FROM pictory.gateways WHERE gone_at IS NULL"
                                            " ORDER BY jobs_epoch")));
  int recovered = 0, sharing = 0;
  for (int row = 0; row < gateways.size(); ++row) {
    share.epochs.push_back(gateways.Int(row, 0));
    if (!gateways.Bool(row, 1)) continue;
    if (gateways.Int(row, 0) > 0) ++recovered;
    if (gateways.Bool(row, 2)) ++sharing;
  }
  share.gateways = std::max(recovered, 1);
  const std::int32_t part =
      sharing == 0 ? limits::kShards : (limits::kShards + sharing - 1) / sharing;
  const std::int32_t wanted = leaves && sharing > 0 ? 0 : part;
  const auto keep = [&share](const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row) {
      share.leases.push_back(
          {.shard = static_cast<std::int32_t>(rows.Int(row, 0)), .epoch = rows.Int(row, 1)});
    }
  };
  keep(connection.Run(
      Statement("SELECT shard, epoch FROM pictory.shards WHERE owner = $1 ORDER BY shard")
          .Bytes(identity.gateway)));
  const auto held = static_cast<std::int32_t>(share.leases.size());
  if (held > wanted) {
    Array surplus(Type::kInt);
    for (std::int32_t at = wanted; at < held; ++at) {
      surplus.Int(share.leases[static_cast<std::size_t>(at)].shard);
    }
    connection.Run(Statement("UPDATE pictory.shards SET owner = '' WHERE owner = $1"
                             " AND shard = ANY($2::bigint[])")
                       .Bytes(identity.gateway)
                       .Add(surplus));
    share.leases.resize(static_cast<std::size_t>(wanted));
  } else if (held < wanted) {
    keep(connection.Run(
        Statement(absl::StrCat("UPDATE pictory.shards AS s SET owner = $1, epoch = s.epoch + 1 FROM"
                               " (SELECT f.shard FROM pictory.shards AS f WHERE f.owner = ''"
                               " OR NOT EXISTS (SELECT 1 FROM pictory.gateways AS g WHERE"
                               " g.gateway = f.owner AND g.gone_at IS NULL AND g.lease_until > ",
                               kNowSql,
                               ") ORDER BY f.shard LIMIT $2 FOR UPDATE SKIP LOCKED) AS free"
                               " WHERE s.shard = free.shard RETURNING s.shard, s.epoch"))
            .Bytes(identity.gateway)
            .Int(wanted - held)));
    std::sort(share.leases.begin(), share.leases.end(),
              [](const jobs::Lease& a, const jobs::Lease& b) { return a.shard < b.shard; });
  }
  return share;
}

}  // namespace gateway::postgres
