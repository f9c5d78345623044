#include "store/record_row.h"

#include <optional>

#include "SQLiteCpp/Column.h"
#include "jobs/archive_plan.h"
#include "jobs/notification.h"
#include "store/record_fields.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;

class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}

  void Text(const std::string& value) { statement_.bindNoCopy(++index_, value); }
  void Blob(const std::string& value) {
    statement_.bindNoCopy(++index_, value.data(), static_cast<int>(value.size()));
  }
  void Int(std::int64_t value) { statement_.bind(++index_, value); }
  void Bool(bool value) { Int(value ? 1 : 0); }
  void Real(const std::optional<double>& value) {
    ++index_;
    value.has_value() ? statement_.bind(index_, *value) : statement_.bind(index_);
  }
  void Time(WallTime value) { Int(value.time_since_epoch().count()); }
  void Time(const std::optional<WallTime>& value) {
    value.has_value() ? Time(*value) : statement_.bind(++index_);
  }

 private:
  SQLite::Statement& statement_;
  int index_ = 0;
};

class Reader {
 public:
  Reader(SQLite::Statement& statement, int first) : statement_(statement), index_(first) {}

  std::string Bytes() { return Next().getString(); }
  std::int64_t Int() { return Next().getInt64(); }
  std::int32_t Int32() { return Next().getInt(); }
  bool Bool() { return Next().getInt() != 0; }
  std::optional<double> Real() {
    const SQLite::Column column = Next();
    return column.isNull() ? std::nullopt : std::optional<double>(column.getDouble());
  }
  WallTime Time() { return WallTime(std::chrono::microseconds(Int())); }
  std::optional<WallTime> MaybeTime() {
    const SQLite::Column column = Next();
    if (column.isNull()) return std::nullopt;
    return WallTime(std::chrono::microseconds(column.getInt64()));
  }

 private:
  SQLite::Column Next() { return statement_.getColumn(index_++); }

  SQLite::Statement& statement_;
  int index_;
};

constexpr int kDerivedColumnCount = 3;  // the first ones, for queries only

}  // namespace

const char kRecordColumns[] =
    "visible, archiving, notifying, tenant, job_id, pictory_job_id, request_id, kind, state, "
    "revision, "
    "progress_percent, message, create_time, update_time, finish_time, labels, credits_used, "
    "error_code, error_message, stale, upstream_missing, sandbox, submission, fingerprint, "
    "attempt, owner_epoch, correlation_token, refusal, accepted_at, next_poll_at, "
    "not_found_since, not_found_count, incomplete_since, incomplete_count, failure_seen, notice, "
    "result_wire, sent_at, minted_request_id, mesh_request_id, account, shard, credits_reserved, "
    "waiting_request, archive_wire, trace, notify_wire, version, delivery";
const char kRecordValues[] =
    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
    "?,?";

const char kLastChangeSql[] =
    "SELECT max("
    "coalesce((SELECT max(change) FROM jobs INDEXED BY jobs_changed WHERE change > 0), 0), "
    "coalesce((SELECT max(change) FROM tombstones), 0), "
    "coalesce((SELECT feed_begin FROM store), 0))";

void BindRecord(SQLite::Statement& statement, const JobRecord& record, const std::string& labels,
                std::int64_t version) {
  Binder to(statement);
  to.Bool(jobs::IsVisible(record));
  to.Bool(jobs::IsArchiving(record));
  to.Int(jobs::NotifyingOf(record));
  WriteFields(record, labels, version, to);
}

JobRecord ReadRecord(SQLite::Statement& statement, int first) {
  Reader from(statement, first + kDerivedColumnCount);
  return ReadFields(from);
}

}  // namespace gateway::store
