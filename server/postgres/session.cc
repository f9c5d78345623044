#include "postgres/session.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "postgres/schema.h"

namespace gateway::postgres {
namespace {

// A plan that walks an index for each value of an array locks rows in the order of the array, and
// holds whatever the statistics say. Where there is no index it would look so dear that it was
// compiled, for a second. A server whose client has vanished must not keep a transaction
// open, because the next session waits for it. The warning that a COMMIT gives must come, and what
// is written rests on READ COMMITTED, whatever the role's settings are.
constexpr char kBegin[] =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning;"
    " SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off;"
    " SET LOCAL lock_timeout = '5s';"
    " SET LOCAL idle_in_transaction_session_timeout = '10s'";

}  // namespace

Session::Session(std::unique_ptr<Connection> connection, const Identity& identity,
                 std::int64_t feed_max, const std::optional<Past>& past)
    : connection_(std::move(connection)), gateway_(identity.gateway), feed_max_(feed_max) {
  BeginShort(*connection_);
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
  // The number before was given to this gateway, so a server that counts from less lacks that.
  if (past.has_value() && writer_ <= past->told.writer) throw LacksCommits();
  RenewLease(*connection_, identity);
  // While the gateway is known its last session is.
  if (past.has_value()) Compare(*past);
  connection_->Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNowSql,
                                          " WHERE gateway = $1 AND ended_at IS NULL"))
                       .Bytes(gateway_));
  connection_->Run(Statement("INSERT INTO pictory.writers (writer, gateway) VALUES ($1, $2)")
                       .Int(writer_)
                       .Bytes(gateway_));
  connection_->Commit();
  begun_ = std::chrono::steady_clock::now();
}

void Session::Compare(const Past& past) {
  const Rows last = connection_->Run(
      Statement("SELECT batch FROM pictory.writers WHERE writer = $1 AND gateway = $2 FOR UPDATE")
          .Int(past.told.writer)
          .Bytes(past.told.gateway));
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
    throw SessionEnded();
  }
  if (changed.empty()) return;
  Array n(Type::kInt), tenant(Type::kBytes), job_id(Type::kBytes), shard(Type::kInt),
      version(Type::kInt), gone(Type::kBool), hint(Type::kBool);
  for (const jobs::FeedEntry& entry : changed) {
    n.Int(++n_);
    tenant.Bytes(entry.job.tenant);
    job_id.Bytes(entry.job.id);
    shard.Int(entry.shard);
    version.Int(entry.version);
    gone.Bool(entry.gone);
    hint.Bool(entry.hint);
  }
  connection_->Run(
      Statement("INSERT INTO pictory.feed (writer, n, tenant, job_id, shard, version, gone,"
                " hint) SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[],"
                " $5::bigint[], $6::bigint[], $7::boolean[], $8::boolean[])")
          .Int(writer_)
          .Add(n)
          .Add(tenant)
          .Add(job_id)
          .Add(shard)
          .Add(version)
          .Add(gone)
          .Add(hint));
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
  BeginShort(*connection_);
  connection_->Run(Statement(absl::StrCat("UPDATE pictory.writers SET ended_at = ", kNowSql,
                                          " WHERE writer = $1"))
                       .Int(writer_));
  connection_->Run(Statement("DELETE FROM pictory.gateways WHERE gateway = $1 AND epoch = $2")
                       .Bytes(identity.gateway)
                       .Int(identity.epoch));
  GiveUpShards(*connection_, identity.gateway);
  connection_->Run(
      Statement(absl::StrCat("UPDATE pictory.stops SET said_at = ", kNowSql, " WHERE gateway = $1"))
          .Bytes(identity.gateway));
  connection_->Commit();
}

}  // namespace gateway::postgres
