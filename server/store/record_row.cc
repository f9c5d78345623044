#include "store/record_row.h"

#include <optional>

#include "SQLiteCpp/Column.h"
#include "jobs/archive_plan.h"
#include "store/label_bytes.h"

namespace gateway::store {
namespace {

using jobs::Job;
using jobs::JobRecord;

class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}

  void Text(const std::string& value) { statement_.bindNoCopy(++index_, value); }
  void Blob(const std::string& value) {
    statement_.bindNoCopy(++index_, value.data(), static_cast<int>(value.size()));
  }
  void Int(std::int64_t value) { statement_.bind(++index_, value); }
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

}  // namespace

const char kRecordColumns[] =
    "tenant, job_id, pictory_job_id, request_id, kind, state, revision, progress_percent, message, "
    "create_time, update_time, finish_time, labels, credits_used, error_code, error_message, "
    "stale, "
    "upstream_missing, sandbox, submission, fingerprint, attempt, owner_epoch, correlation_token, "
    "refusal, accepted_at, next_poll_at, not_found_since, not_found_count, incomplete_since, "
    "incomplete_count, failure_seen, notice, visible, result_wire, sent_at, minted_request_id, "
    "mesh_request_id, account, shard, credits_reserved, waiting_request, archive_wire, archiving, "
    "trace, version, delivery";
const char kRecordValues[] =
    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?";

const char kLastChangeSql[] =
    "SELECT max("
    "coalesce((SELECT max(change) FROM jobs INDEXED BY jobs_changed WHERE change > 0), 0), "
    "coalesce((SELECT max(change) FROM tombstones), 0), "
    "coalesce((SELECT feed_begin FROM store), 0))";

void BindRecord(SQLite::Statement& statement, const JobRecord& record, const std::string& labels,
                std::int64_t version) {
  const Job& job = record.job;
  Binder to(statement);
  to.Text(job.tenant);
  to.Text(job.job_id);
  to.Text(job.pictory_job_id);
  to.Text(job.request_id);
  to.Int(job.kind);
  to.Int(job.state);
  to.Int(job.revision);
  to.Real(job.progress_percent);
  to.Text(job.message);
  to.Time(job.create_time);
  to.Time(job.update_time);
  to.Time(job.finish_time);
  to.Blob(labels);
  to.Real(job.credits_used);
  to.Text(job.error_code);
  to.Text(job.error_message);
  to.Int(job.stale);
  to.Int(job.upstream_missing);
  to.Int(job.sandbox);
  to.Int(static_cast<std::int64_t>(record.submission));
  to.Blob(record.fingerprint);
  to.Int(record.attempt);
  to.Int(record.owner_epoch);
  to.Text(record.correlation_token);
  to.Blob(record.refusal);
  to.Time(record.accepted_at);
  to.Time(record.next_poll_at);
  to.Time(record.not_found_since);
  to.Int(record.not_found_count);
  to.Time(record.incomplete_since);
  to.Int(record.incomplete_count);
  to.Int(record.failure_seen);
  to.Int(static_cast<std::int64_t>(record.notice));
  to.Int(jobs::IsVisible(record));
  to.Blob(job.result_wire);
  to.Time(record.sent_at);
  to.Int(record.minted_request_id);
  to.Text(record.mesh_request_id);
  to.Text(record.job.account);
  to.Int(record.shard);
  to.Real(record.credits_reserved);
  to.Blob(record.waiting_request);
  to.Blob(job.archive_wire);
  to.Int(jobs::IsArchiving(record));
  to.Text(job.trace);
  to.Int(version);
  to.Int(static_cast<std::int64_t>(record.delivery));
}

JobRecord ReadRecord(SQLite::Statement& statement, int first) {
  JobRecord record;
  Job& job = record.job;
  Reader from(statement, first);
  job.tenant = from.Bytes();
  job.job_id = from.Bytes();
  job.pictory_job_id = from.Bytes();
  job.request_id = from.Bytes();
  job.kind = static_cast<jobs::JobKind>(from.Int32());
  job.state = static_cast<jobs::JobState>(from.Int32());
  job.revision = from.Int32();
  job.progress_percent = from.Real();
  job.message = from.Bytes();
  job.create_time = from.Time();
  job.update_time = from.Time();
  job.finish_time = from.MaybeTime();
  job.labels = DecodeLabels(from.Bytes());
  job.credits_used = from.Real();
  job.error_code = from.Bytes();
  job.error_message = from.Bytes();
  job.stale = from.Bool();
  job.upstream_missing = from.Bool();
  job.sandbox = from.Bool();
  record.submission = static_cast<jobs::SubmissionState>(from.Int32());
  record.fingerprint = from.Bytes();
  record.attempt = from.Int32();
  record.owner_epoch = from.Int();
  record.correlation_token = from.Bytes();
  record.refusal = from.Bytes();
  record.accepted_at = from.Time();
  record.next_poll_at = from.Time();
  record.not_found_since = from.MaybeTime();
  record.not_found_count = from.Int32();
  record.incomplete_since = from.MaybeTime();
  record.incomplete_count = from.Int32();
  record.failure_seen = from.Bool();
  record.notice = static_cast<jobs::Notice>(from.Int32());
  from.Bool();  // visible: for queries only
  job.result_wire = from.Bytes();
  record.sent_at = from.Time();
  record.minted_request_id = from.Bool();
  record.mesh_request_id = from.Bytes();
  record.job.account = from.Bytes();
  record.shard = from.Int32();
  record.credits_reserved = from.Real().value_or(0);
  record.waiting_request = from.Bytes();
  job.archive_wire = from.Bytes();
  from.Bool();  // archiving: for queries only
  job.trace = from.Bytes();
  record.version = from.Int();
  record.delivery = static_cast<jobs::Delivery>(from.Int32());
  return record;
}

}  // namespace gateway::store
