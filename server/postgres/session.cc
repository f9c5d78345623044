#include "postgres/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "postgres/copy_rows.h"
#include "postgres/schema.h"

namespace gateway::postgres {
namespace {

// A plan that walks an index for each value of an array locks rows in the order of the array, and
// holds whatever the statistics say. A server whose client has vanished must not keep a transaction
// open, because the next session waits for it. The warning that a COMMIT gives must come, and what
// is written rests on READ COMMITTED, whatever the role's settings are.
constexpr char kBegin[] =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning;"
    " SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;"
    " SET LOCAL lock_timeout = '5s';"
    " SET LOCAL idle_in_transaction_session_timeout = '10s'";
constexpr char kBeginSession[] =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning;"
    " SET LOCAL lock_timeout = '2s';"
    " SET LOCAL idle_in_transaction_session_timeout = '10s'";

constexpr char kNow[] = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

// For so long after its end a lease is nobody's but its gateway's: an outage of the server may be
// as long as that, and the gateway comes back out of it.
std::int64_t Grace() { return std::chrono::microseconds(limits::kStoreLeaseGrace).count(); }

std::int64_t Lease() { return std::chrono::microseconds(limits::kStoreLease).count(); }

}  // namespace

absl::Status TakeLease(Connection& connection, Identity& identity) {
  connection.Script(kBeginSession);
  // It comes from the same count as the numbers of writers, so that no epoch comes twice.
  const std::int64_t epoch =
      connection.Run("UPDATE pictory.store SET last_writer = last_writer + 1 RETURNING last_writer")
          .Int(0, 0);
  if (!identity.copying) {
    if (absl::Status admitted = Admit(connection); !admitted.ok()) {
      connection.Rollback();
      return admitted;
    }
  }
  const Rows others = connection.Run(
      Statement(absl::StrCat("SELECT gateway, address, lease_until + $2 - ", kNow,
                             " FROM pictory.gateways WHERE gateway <> $1 AND lease_until + $2 > ",
                             kNow, " ORDER BY lease_until DESC"))
          .Bytes(identity.gateway)
          .Int(Grace()));
  if (identity.alone && others.size() > 0) {
    connection.Rollback();
    return absl::FailedPreconditionError(absl::StrCat(
        "The store is in use by the gateway ", std::string(others.Bytes(0, 0)), " at ",
        std::string(others.Bytes(0, 1)),
        ", and one store serves one gateway. If that one is gone for good, this one can start in ",
        others.Int(0, 2) / 1'000'000 + 1, " s"));
  }
  connection.Run(
      Statement(absl::StrCat("INSERT INTO pictory.gateways (gateway, epoch, lease_until, address)"
                             " VALUES ($1, $2, ",
                             kNow,
                             " + $3, $4) ON CONFLICT (gateway) DO UPDATE SET"
                             " epoch = excluded.epoch, lease_until = excluded.lease_until,"
                             " address = excluded.address"))
          .Bytes(identity.gateway)
          .Int(epoch)
          .Int(Lease())
          .Bytes(identity.address));
  // From here on no other session commits: neither one of this gateway's last start nor, if it is
  // to be alone, of one whose lease has run out.
  connection.Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNow,
                                        " WHERE ended_at IS NULL AND (gateway = $1 OR $2)"))
                     .Bytes(identity.gateway)
                     .Bool(identity.alone));
  if (identity.alone) {
    connection.Run(
        Statement("DELETE FROM pictory.gateways WHERE gateway <> $1").Bytes(identity.gateway));
  }
  connection.Commit();
  identity.epoch = epoch;
  return absl::OkStatus();
}

void RenewLease(Connection& connection, const Identity& identity) {
  const Rows renewed =
      connection.Run(Statement(absl::StrCat("UPDATE pictory.gateways SET lease_until = ", kNow,
                                            " + $3 WHERE gateway = $1 AND epoch = $2"))
                         .Bytes(identity.gateway)
                         .Int(identity.epoch)
                         .Int(Lease()));
  if (renewed.changed() == 0) throw TakenOver();
}

Session::Session(std::unique_ptr<Connection> connection, const Identity& identity,
                 std::int64_t feed_max, const std::optional<Past>& past)
    : connection_(std::move(connection)), feed_max_(feed_max) {
  connection_->Script(kBeginSession);
  if (past.has_value() &&
      connection_->Run("SELECT 1 WHERE to_regclass('pictory.writers') IS NULL").size() > 0) {
    throw LacksCommits();
  }
  const Rows store = connection_->Run(
      "UPDATE pictory.store SET last_writer = last_writer + 1"
      " RETURNING last_writer, version, oldest_program, sandbox");
  if (store.size() == 0) throw LacksCommits();
  writer_ = store.Int(0, 0);
  const StoreKind kind{
      .version = store.Int(0, 1), .oldest_program = store.Int(0, 2), .sandbox = store.Bool(0, 3)};
  if (const absl::Status fit = CheckStore(kind, Migrations().back().version, identity.sandbox);
      !fit.ok()) {
    throw Final(std::string(fit.message()));
  }
  if (past.has_value()) Compare(*past);
  RenewLease(*connection_, identity);
  connection_->Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNow,
                                          " WHERE gateway = $1 AND ended_at IS NULL"))
                       .Bytes(identity.gateway));
  connection_->Run(Statement("INSERT INTO pictory.writers (writer, gateway) VALUES ($1, $2)")
                       .Int(writer_)
                       .Bytes(identity.gateway));
  connection_->Commit();
}

void Session::Compare(const Past& past) {
  const Rows last =
      connection_->Run(Statement("SELECT batch FROM pictory.writers WHERE writer = $1 FOR UPDATE")
                           .Int(past.told.writer));
  if (last.size() == 0 || last.Int(0, 0) < past.told.batch) throw LacksCommits();
  doubted_is_done_ = past.doubted.has_value() && last.Int(0, 0) >= *past.doubted;
}

void Session::Begin() { connection_->Script(kBegin); }

void Session::Note(const std::vector<jobs::FeedEntry>& changed) {
  // Nobody writes to this row but this session, and who ends it.
  if (connection_
          ->Run(Statement("UPDATE pictory.writers SET batch = $2"
                          " WHERE writer = $1 AND ended_at IS NULL")
                    .Int(writer_)
                    .Int(++batch_))
          .changed() == 0) {
    throw TakenOver();
  }
  if (changed.empty()) return;
  Array n(Type::kInt), tenant(Type::kBytes), job_id(Type::kBytes), shard(Type::kInt),
      version(Type::kInt), gone(Type::kBool);
  for (const jobs::FeedEntry& entry : changed) {
    n.Int(++n_);
    tenant.Bytes(entry.job.tenant);
    job_id.Bytes(entry.job.id);
    shard.Int(entry.shard);
    version.Int(entry.version);
    gone.Bool(entry.gone);
  }
  connection_->Run(
      Statement("INSERT INTO pictory.feed (writer, n, tenant, job_id, shard, version, gone)"
                " SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[],"
                " $6::bigint[], $7::boolean[])")
          .Int(writer_)
          .Add(n)
          .Add(tenant)
          .Add(job_id)
          .Add(shard)
          .Add(version)
          .Add(gone));
  ForgetOld();
}

// In steps, so that none is long.
void Session::ForgetOld() {
  if (n_ - forgotten_ <= feed_max_ + feed_max_ / 100) return;
  const std::int64_t last = n_ - feed_max_;
  connection_->Run(
      Statement("DELETE FROM pictory.feed WHERE writer = $1 AND n <= $2").Int(writer_).Int(last));
  connection_->Run(Statement("UPDATE pictory.writers SET forgotten = $2 WHERE writer = $1")
                       .Int(writer_)
                       .Int(last));
  forgotten_ = last;  // if this is rolled back, the next time forgets it too
}

void Session::End(const Identity& identity) {
  connection_->Run(
      Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNow, " WHERE writer = $1"))
          .Int(writer_));
  connection_->Run(Statement("DELETE FROM pictory.gateways WHERE gateway = $1 AND epoch = $2")
                       .Bytes(identity.gateway)
                       .Int(identity.epoch));
}

}  // namespace gateway::postgres
