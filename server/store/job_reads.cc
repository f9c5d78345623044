#include "store/job_reads.h"

#include <algorithm>
#include <functional>

#include "SQLiteCpp/Column.h"
#include "SQLiteCpp/Transaction.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "store/feed_position.h"
#include "store/record_row.h"
#include "store/state_sql.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;
using jobs::ListQuery;

constexpr auto kSliceBytes = static_cast<std::int64_t>(limits::kPartSliceBytes);

std::string SelectJob(const char* where) {
  return absl::StrCat("SELECT ", kRecordColumns, " FROM jobs WHERE ", where);
}

// The columns of a record, with nothing in place of those that may be large.
std::string ColumnsWithoutResults() {
  return absl::StrReplaceAll(
      kRecordColumns,
      {{" result_wire,", " x'',"}, {" waiting_request,", " x'',"}, {" archive_wire,", " x'',"}});
}

std::optional<JobRecord> One(SQLite::Statement& statement, const std::string& tenant,
                             const std::string& name) {
  StatementUse find(statement);
  find->bindNoCopy(1, tenant);
  find->bindNoCopy(2, name);
  if (!find->executeStep()) return std::nullopt;
  return ReadRecord(*find, 0);
}

void BindPart(SQLite::Statement& statement, const std::string& tenant, const std::string& job_id,
              jobs::v1::ResultPart part) {
  statement.bindNoCopy(1, tenant);
  statement.bindNoCopy(2, job_id);
  statement.bind(3, static_cast<int>(part));
}

// The range of ids that the jobs of a list are in: [first, end), "" for no end. An index is entered
// by ids; create_time decides within a millisecond.
struct IdRange {
  std::string first;
  std::string end;
};

IdRange RangeOf(const ListQuery& query) {
  IdRange range{.first = {}, .end = query.before_job_id};
  if (query.created_from.has_value()) range.first = JobIdFloor(*query.created_from);
  if (query.created_until.has_value()) {
    const std::string end = JobIdFloor(*query.created_until + std::chrono::milliseconds(1));
    if (range.end.empty() || end < range.end) range.end = end;
  }
  return range;
}

// The conditions of a range on the ids of `table`; the range's ends are parameters 2 and 3.
std::string InRange(const IdRange& range, const std::string& table) {
  std::string sql;
  if (!range.end.empty()) absl::StrAppend(&sql, " AND ", table, ".job_id < ?2");
  if (!range.first.empty()) absl::StrAppend(&sql, " AND ", table, ".job_id >= ?3");
  return sql;
}

// The conditions on `jobs` that all lists have, with parameters 1–6.
std::string Bounds(const ListQuery& query) {
  std::string sql =
      absl::StrCat(" jobs.tenant = ?1 AND jobs.visible = 1", InRange(RangeOf(query), "jobs"));
  if (query.created_from.has_value()) absl::StrAppend(&sql, " AND jobs.create_time >= ?4");
  if (query.created_until.has_value()) absl::StrAppend(&sql, " AND jobs.create_time < ?5");
  if (query.notification != jobs::v1::NOTIFICATION_STATE_UNSPECIFIED) {
    absl::StrAppend(&sql, " AND ", NotifyingSql(query.notification));
  }
  return sql;
}

void BindBounds(SQLite::Statement& statement, const std::string& tenant, const ListQuery& query) {
  const IdRange range = RangeOf(query);
  statement.bindNoCopy(1, tenant);
  if (!range.end.empty()) statement.bind(2, range.end);
  if (!range.first.empty()) statement.bind(3, range.first);
  const auto time = [&](int index, const std::optional<WallTime>& value) {
    if (value.has_value()) {
      statement.bind(index, static_cast<std::int64_t>(value->time_since_epoch().count()));
    }
  };
  time(4, query.created_from);
  time(5, query.created_until);
  statement.bind(6, query.limit);
}

void AppendIds(SQLite::Statement& statement, std::vector<std::string>& ids) {
  while (statement.executeStep()) ids.push_back(statement.getColumn(0).getString());
}

template <class Enum>
std::vector<int> Wanted(const std::vector<Enum>& values, int min, int max) {
  std::vector<int> wanted(values.begin(), values.end());
  for (int value = min; values.empty() && value <= max; ++value) wanted.push_back(value);
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return wanted;
}

// Finds the newest jobs that carry all labels, by way of the first of them.
void IdsByLabels(SQLite::Database& db, const std::string& tenant, const ListQuery& query,
                 std::vector<std::string>& ids) {
  // CROSS JOIN keeps the order of the tables: labels first, which are already sorted as the page
  // needs them.
  std::string sql = "SELECT jobs.job_id FROM labels AS l0";
  for (std::size_t i = 1; i < query.labels.size(); ++i)
    absl::StrAppend(&sql, " CROSS JOIN labels AS l", i);
  absl::StrAppend(&sql,
                  " CROSS JOIN jobs INDEXED BY jobs_by_id ON jobs.tenant = l0.tenant"
                  " AND jobs.job_id = l0.job_id WHERE",
                  Bounds(query));
  for (std::size_t i = 0; i < query.labels.size(); ++i) {
    absl::StrAppend(&sql, " AND l", i, ".tenant = ?1 AND l", i, ".key = ?", 7 + 2 * i, " AND l", i,
                    ".value = ?", 8 + 2 * i);
    if (i > 0) absl::StrAppend(&sql, " AND l", i, ".job_id = l0.job_id");
  }
  absl::StrAppend(&sql, InRange(RangeOf(query), "l0"));
  if (!query.states.empty())
    absl::StrAppend(&sql, " AND state IN (", absl::StrJoin(query.states, ","), ")");
  if (!query.kinds.empty())
    absl::StrAppend(&sql, " AND kind IN (", absl::StrJoin(query.kinds, ","), ")");
  absl::StrAppend(&sql, " ORDER BY l0.job_id DESC LIMIT ?6");

  SQLite::Statement statement(db, sql);
  BindBounds(statement, tenant, query);
  int index = 7;
  for (const auto& [key, value] : query.labels) {
    statement.bindNoCopy(index++, key);
    statement.bindNoCopy(index++, value);
  }
  AppendIds(statement, ids);
}

// Reads a short run of the index for each state and kind and merges them, which is cheap however
// many jobs do not match.
void IdsByStateAndKind(SQLite::Database& db, const std::string& tenant, const ListQuery& query,
                       std::vector<std::string>& ids) {
  SQLite::Statement statement(
      db, absl::StrCat("SELECT job_id FROM jobs INDEXED BY jobs_filtered WHERE", Bounds(query),
                       " AND state = ?7 AND kind = ?8 ORDER BY job_id DESC LIMIT ?6"));
  BindBounds(statement, tenant, query);
  for (const int state : Wanted(query.states, jobs::v1::JobState_MIN, jobs::v1::JobState_MAX)) {
    for (const int kind : Wanted(query.kinds, jobs::v1::JobKind_MIN, jobs::v1::JobKind_MAX)) {
      statement.reset();
      statement.bind(7, state);
      statement.bind(8, kind);
      AppendIds(statement, ids);
    }
  }
  std::sort(ids.begin(), ids.end(), std::greater<>());
  if (ids.size() > static_cast<std::size_t>(query.limit)) ids.resize(query.limit);
}

}  // namespace

JobReads::JobReads(SQLite::Database& db)
    : db_(db),
      find_(db, SelectJob("tenant = ? AND job_id = ? AND visible = 1")),
      find_without_results_(
          db, absl::StrCat("SELECT ", ColumnsWithoutResults(),
                           " FROM jobs WHERE tenant = ? AND job_id = ? AND visible = 1")),
      // The index is named, because an index of the tenant's jobs looks as good to SQLite.
      find_pictory_(db, absl::StrCat("SELECT ", kRecordColumns,
                                     " FROM jobs INDEXED BY jobs_by_pictory_id"
                                     " WHERE tenant = ? AND pictory_job_id = ?"
                                     " AND pictory_job_id <> '' AND visible = 1"
                                     " ORDER BY create_time DESC LIMIT 1")),
      find_alias_(db, SelectJob("tenant = ?1 AND visible = 1 AND job_id ="
                                " (SELECT job_id FROM aliases WHERE tenant = ?1 AND alias = ?2)")),
      find_request_(db, SelectJob("tenant = ? AND request_id = ? AND request_id <> ''")),
      find_owner_(db,
                  "SELECT tenant FROM jobs"
                  " WHERE account = ? AND pictory_job_id = ? AND pictory_job_id <> ''"),
      find_token_(db, SelectJob("finish_time IS NULL AND correlation_token <> ''"
                                " AND correlation_token = ?")),
      find_without_request_id_(
          db, SelectJob("tenant = ?1 AND fingerprint = ?2 AND minted_request_id = 1"
                        " AND create_time >= ?3"
                        // RetryEvidence::Allows and IsCertain
                        " AND (?5 OR (?4 <> '' AND mesh_request_id = ?4)"
                        " OR (?6 AND (?4 = '' OR mesh_request_id = '')))"
                        " ORDER BY NOT ?5 AND ?4 <> '' AND mesh_request_id = ?4 DESC,"
                        " create_time DESC LIMIT 1")),
      feed_end_(db, kLastChangeSql),
      part_size_(db,
                 "SELECT total_bytes FROM parts"
                 " WHERE tenant = ? AND job_id = ? AND part = ? AND slice = 0"),
      part_slices_(db,
                   "SELECT slice, bytes FROM parts WHERE tenant = ? AND job_id = ? AND part = ?"
                   " AND slice BETWEEN ? AND ? ORDER BY slice") {}

std::optional<JobRecord> JobReads::Find(const std::string& tenant, const std::string& name) {
  for (SQLite::Statement* by : {&find_, &find_pictory_, &find_alias_}) {
    if (std::optional<JobRecord> found = One(*by, tenant, name)) return found;
  }
  return std::nullopt;
}

std::vector<JobRecord> JobReads::FindMany(const std::vector<jobs::JobKey>& keys) {
  std::vector<JobRecord> records;
  std::size_t bytes = 0;
  SQLite::Transaction snapshot(db_);
  for (const jobs::JobKey& key : keys) {
    std::optional<JobRecord> record = One(find_, key.tenant, key.id);
    if (!record.has_value()) continue;
    bytes += jobs::LargeBytes(*record);
    records.push_back(*std::move(record));
    if (bytes >= limits::kListReadMaxBytes) break;
  }
  snapshot.commit();
  return records;
}

std::optional<JobRecord> JobReads::FindRequest(const std::string& tenant,
                                               const std::string& request_id) {
  return One(find_request_, tenant, request_id);
}

std::optional<std::string> JobReads::FindOwner(const std::string& account,
                                               const std::string& pictory_job_id) {
  StatementUse find(find_owner_);
  find->bindNoCopy(1, account);
  find->bindNoCopy(2, pictory_job_id);
  if (!find->executeStep()) return std::nullopt;
  return find->getColumn(0).getString();
}

std::optional<JobRecord> JobReads::FindToken(const std::string& token) {
  StatementUse find(find_token_);
  find->bindNoCopy(1, token);
  if (!find->executeStep()) return std::nullopt;
  return ReadRecord(*find, 0);
}

std::optional<JobRecord> JobReads::FindWithoutRequestId(const std::string& tenant,
                                                        const std::string& fingerprint,
                                                        const jobs::RetryEvidence& evidence,
                                                        WallTime since) {
  StatementUse find(find_without_request_id_);
  find->bindNoCopy(1, tenant);
  find->bindNoCopy(2, fingerprint.data(), static_cast<int>(fingerprint.size()));
  find->bind(3, static_cast<std::int64_t>(since.time_since_epoch().count()));
  find->bindNoCopy(4, evidence.mesh_request_id);
  find->bind(5, evidence.by_library);
  find->bind(6, evidence.by_mesh);
  if (!find->executeStep()) return std::nullopt;
  return ReadRecord(*find, 0);
}

std::vector<JobRecord> JobReads::List(const std::string& tenant, const ListQuery& query) {
  std::vector<JobRecord> records;
  std::size_t bytes = 0;
  if (query.limit <= 0) return records;
  SQLite::Transaction snapshot(db_);
  for (const std::string& id : ListIds(tenant, query)) {
    std::optional<JobRecord> record =
        One(query.without_results ? find_without_results_ : find_, tenant, id);
    if (!record.has_value()) continue;
    bytes += jobs::LargeBytes(*record);
    records.push_back(std::move(*record));
    if (bytes >= limits::kListReadMaxBytes) break;
  }
  snapshot.commit();
  return records;
}

std::vector<std::string> JobReads::ListIds(const std::string& tenant, const ListQuery& query) {
  std::vector<std::string> ids;
  if (!query.labels.empty()) {
    IdsByLabels(db_, tenant, query, ids);
  } else if (!query.states.empty() || !query.kinds.empty()) {
    IdsByStateAndKind(db_, tenant, query, ids);
  } else {
    const bool all = query.notification == jobs::v1::NOTIFICATION_STATE_UNSPECIFIED;
    SQLite::Statement statement(db_, absl::StrCat("SELECT job_id FROM jobs INDEXED BY ",
                                                  all ? "jobs_listed" : "jobs_notifying", " WHERE",
                                                  Bounds(query), " ORDER BY job_id DESC LIMIT ?6"));
    BindBounds(statement, tenant, query);
    AppendIds(statement, ids);
  }
  return ids;
}

void JobReads::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  SQLite::Statement unfinished(
      db_, absl::StrCat("SELECT ", kRecordColumns, " FROM jobs INDEXED BY jobs_unfinished WHERE ",
                        IsUnfinishedSql(), " ORDER BY next_poll_at"));
  while (unfinished.executeStep()) take(ReadRecord(unfinished, 0));
}

void JobReads::ReadShards(const std::vector<std::int32_t>& shards,
                          const std::function<void(JobRecord)>& take) {
  if (shards.empty()) return;  // with an empty list SQLite would not use the index
  SQLite::Statement unfinished(
      db_, absl::StrCat("SELECT ", kRecordColumns, " FROM jobs INDEXED BY jobs_unfinished WHERE ",
                        IsUnfinishedSql(), " AND shard IN (", absl::StrJoin(shards, ","), ")"));
  while (unfinished.executeStep()) take(ReadRecord(unfinished, 0));
}

void JobReads::ReadArchiving(const std::vector<std::int32_t>& shards,
                             const std::function<void(jobs::ShardJob)>& take) {
  ReadNames("jobs INDEXED BY jobs_archiving WHERE archiving = 1", shards, " ORDER BY finish_time",
            take);
}

void JobReads::ReadNotifying(const std::vector<std::int32_t>& shards,
                             const std::function<void(jobs::ShardJob)>& take) {
  ReadNames(absl::StrCat("jobs INDEXED BY jobs_notifying WHERE ",
                         NotifyingSql(jobs::v1::NOTIFICATION_STATE_PENDING)),
            shards, "", take);
}

void JobReads::ReadNames(const std::string& from, const std::vector<std::int32_t>& shards,
                         const char* order, const std::function<void(jobs::ShardJob)>& take) {
  if (shards.empty()) return;  // with an empty list SQLite would not use the index
  SQLite::Statement names(
      db_, absl::StrCat("SELECT tenant, job_id, shard FROM ", from, " AND shard IN (",
                        absl::StrJoin(shards, ","), ")", order));
  while (names.executeStep()) {
    take({.job = {names.getColumn(0).getString(), names.getColumn(1).getString()},
          .shard = names.getColumn(2).getInt()});
  }
}

JobReads::FeedTold JobReads::ReadFeedEnds() {
  FeedTold told;
  SQLite::Statement store(db_, "SELECT feed_id, feed_begin FROM store");
  if (store.executeStep()) {
    told.id = store.getColumn(0).getString();
    told.begin = store.getColumn(1).getInt64();
  }
  StatementUse end(feed_end_);
  end->executeStep();
  told.end = end->getColumn(0).getInt64();
  return told;
}

std::string JobReads::FindFeedEnd() {
  SQLite::Transaction snapshot(db_);
  const FeedTold told = ReadFeedEnds();
  return FeedPosition(told.id, told.end);
}

absl::StatusOr<jobs::FeedPage> JobReads::ReadFeed(const std::string& position, int limit) {
  // All steps see one snapshot; otherwise rows of deleted jobs could be forgotten between two
  // steps.
  SQLite::Transaction snapshot(db_);
  const FeedTold told = ReadFeedEnds();
  const std::optional<std::int64_t> begin = ReadFeedPosition(told.id, position);
  if (!begin.has_value() || *begin > told.end || *begin < told.begin) {
    return jobs::FeedForgotten();
  }
  std::int64_t after = *begin;
  SQLite::Statement read(
      db_, absl::StrCat("SELECT change, tenant, job_id, shard, version, submission = ",
                        Sql(jobs::SubmissionState::kDeleted),
                        " FROM jobs INDEXED BY jobs_changed WHERE change > 0 AND change > ?1"
                        " UNION ALL SELECT change, tenant, job_id, shard, 0, 1 FROM tombstones"
                        " WHERE change > ?1 ORDER BY change LIMIT ?2"));
  read.bind(1, after);
  read.bind(2, std::max(limit, 0));
  jobs::FeedPage page;
  while (read.executeStep()) {
    after = read.getColumn(0).getInt64();
    page.entries.push_back({.job = {read.getColumn(1).getString(), read.getColumn(2).getString()},
                            .shard = read.getColumn(3).getInt(),
                            .version = read.getColumn(4).getInt64(),
                            .gone = read.getColumn(5).getInt() != 0});
  }
  page.position = FeedPosition(told.id, after);
  return page;
}

absl::StatusOr<jobs::PartChunk> JobReads::ReadPart(const std::string& tenant,
                                                   const std::string& job_id,
                                                   jobs::v1::ResultPart part, std::int64_t offset,
                                                   std::int64_t max_bytes) {
  // The two steps see one snapshot; otherwise the part could be removed between them.
  SQLite::Transaction snapshot(db_);
  StatementUse size(part_size_);
  BindPart(*size, tenant, job_id, part);
  if (!size->executeStep()) return errors::PartNotFound(job_id, jobs::v1::ResultPart_Name(part));
  jobs::PartChunk chunk{.data = {}, .total_bytes = size->getColumn(0).getInt64()};
  const std::int64_t begin = std::clamp<std::int64_t>(offset, 0, chunk.total_bytes);
  const std::int64_t end =
      begin + std::clamp<std::int64_t>(max_bytes, 0, chunk.total_bytes - begin);
  if (begin == end) return chunk;
  chunk.data.reserve(static_cast<std::size_t>(end - begin));
  StatementUse slices(part_slices_);
  BindPart(*slices, tenant, job_id, part);
  slices->bind(4, begin / kSliceBytes);
  slices->bind(5, (end - 1) / kSliceBytes);
  while (slices->executeStep()) {
    const std::int64_t at = slices->getColumn(0).getInt64() * kSliceBytes;
    const SQLite::Column bytes = slices->getColumn(1);
    const std::string_view slice(static_cast<const char*>(bytes.getBlob()),
                                 static_cast<std::size_t>(bytes.getBytes()));
    const auto skip = static_cast<std::size_t>(std::max<std::int64_t>(begin - at, 0));
    chunk.data.append(
        slice.substr(std::min(skip, slice.size()), static_cast<std::size_t>(end - at) - skip));
  }
  return chunk;
}

}  // namespace gateway::store
