#include "postgres/reads.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "postgres/feed_position.h"
#include "postgres/record_columns.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using jobs::ListQuery;

constexpr auto kSlice = static_cast<std::int64_t>(limits::kPartSliceBytes);

// How many records of a list are read at once: their results may be large.
constexpr std::size_t kListStep = 64;

// Several statements that see one state of the tables.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection) : connection_(connection) {
    // What nobody waits for any more ends on the server, too.
    connection_.Script(
        absl::StrCat("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout"
                     " = '",
                     std::chrono::milliseconds(limits::kStoreReplyMax).count(), "ms'"));
  }
  ~Snapshot() { connection_.Rollback(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
};

std::string SelectRecord(const char* where) {
  return absl::StrCat("SELECT ", RecordColumns(), " FROM pictory.jobs WHERE ", where);
}

// The conditions of a list, with their parameters; $1 is the tenant.
class ListSql {
 public:
  ListSql(const std::string& tenant, const ListQuery& query) : query_(query) {
    parameters_.push_back([tenant](Statement& to) { to.Bytes(tenant); });
    // An index is entered by ids, which begin with the millisecond of create_time.
    if (query.created_from.has_value()) {
      Bytes(JobIdFloor(*query.created_from), " AND job_id >= $");
      Time(*query.created_from, " AND create_time >= $");
    }
    if (query.created_until.has_value()) {
      Bytes(JobIdFloor(*query.created_until + std::chrono::milliseconds(1)), " AND job_id < $");
      Time(*query.created_until, " AND create_time < $");
    }
    if (!query.before_job_id.empty()) Bytes(query.before_job_id, " AND job_id < $");
    if (query.notification != jobs::v1::NOTIFICATION_STATE_UNSPECIFIED) {
      absl::StrAppend(&bounds_, " AND notifying = ", static_cast<int>(query.notification));
    }
  }

  Statement Make() {
    std::string sql;
    if (!query_.labels.empty()) {
      sql = ByLabels();
    } else if (!query_.states.empty() || !query_.kinds.empty()) {
      sql = ByStateAndKind();
    } else {
      sql = absl::StrCat("SELECT job_id FROM pictory.jobs WHERE tenant = $1 AND visible", bounds_,
                         " ORDER BY job_id DESC LIMIT $", Limit());
    }
    Statement statement(sql);
    for (const auto& add : parameters_) add(statement);
    return statement;
  }

 private:
  using Add = std::function<void(Statement&)>;

  int Number(Add add) {
    parameters_.push_back(std::move(add));
    return static_cast<int>(parameters_.size());
  }
  int Limit() {
    return Number([limit = query_.limit](Statement& to) { to.Int(limit); });
  }
  void Bytes(const std::string& value, const char* condition) {
    absl::StrAppend(&bounds_, condition, Number([value](Statement& to) { to.Bytes(value); }));
  }
  void Time(WallTime value, const char* condition) {
    absl::StrAppend(&bounds_, condition, Number([value](Statement& to) { to.Time(value); }));
  }

  // Jobs that carry all labels, by way of the first of them.
  std::string ByLabels() {
    std::string sql = "SELECT job_id FROM pictory.jobs WHERE tenant = $1 AND visible";
    absl::StrAppend(&sql, bounds_);
    for (const auto& [key, value] : query_.labels) {
      const int name = Number([key](Statement& to) { to.Bytes(key); });
      const int is = Number([value](Statement& to) { to.Bytes(value); });
      absl::StrAppend(&sql, " AND job_id IN (SELECT job_id FROM pictory.labels WHERE tenant = $1",
                      " AND key = $", name, " AND value = $", is, ")");
    }
    if (!query_.states.empty()) {
      absl::StrAppend(&sql, " AND state IN (", absl::StrJoin(query_.states, ","), ")");
    }
    if (!query_.kinds.empty()) {
      absl::StrAppend(&sql, " AND kind IN (", absl::StrJoin(query_.kinds, ","), ")");
    }
    return absl::StrCat(sql, " ORDER BY job_id DESC LIMIT $", Limit());
  }

  // Reads a short run of the index for each state and kind and merges them, which is cheap however
  // many jobs do not match.
  std::string ByStateAndKind() {
    const int limit = Limit();
    std::string runs;
    const auto all = [](const auto& given, int min, int max) {
      std::set<int> wanted(given.begin(), given.end());
      for (int value = min; given.empty() && value <= max; ++value) wanted.insert(value);
      return wanted;
    };
    for (const int state : all(query_.states, jobs::v1::JobState_MIN, jobs::v1::JobState_MAX)) {
      const bool final = jobs::IsFinal(static_cast<jobs::JobState>(state));
      for (const int kind : all(query_.kinds, jobs::v1::JobKind_MIN, jobs::v1::JobKind_MAX)) {
        absl::StrAppend(&runs, runs.empty() ? "" : " UNION ALL ",
                        "(SELECT job_id FROM pictory.jobs WHERE tenant = $1 AND visible", bounds_,
                        " AND end_state = ", final ? state : 0, " AND kind = ", kind,
                        final ? std::string() : absl::StrCat(" AND state = ", state),
                        " ORDER BY job_id DESC LIMIT $", limit, ")");
      }
    }
    return absl::StrCat("SELECT job_id FROM (", runs, ") AS runs ORDER BY job_id DESC LIMIT $",
                        limit);
  }

  const ListQuery& query_;
  std::string bounds_;
  std::vector<Add> parameters_;
};

}  // namespace

std::optional<JobRecord> Reads::One(const Statement& statement) {
  const Rows rows = connection_.Run(statement);
  if (rows.size() == 0) return std::nullopt;
  return ReadRecord(rows, 0);
}

std::vector<jobs::SpentTotal> Reads::ReadSpent(const std::optional<std::string>& tenant) {
  const Snapshot snapshot(connection_);
  if (!tenant.has_value()) return ReadSpentTotals(connection_);
  return {ReadSpentTotal(connection_, *tenant)};
}

std::optional<JobRecord> Reads::Find(const std::string& tenant, const std::string& name) {
  for (const char* where :
       {"tenant = $1 AND job_id = $2 AND visible",
        "tenant = $1 AND pictory_job_id = $2 AND pictory_job_id <> '' AND visible"
        " ORDER BY create_time DESC LIMIT 1",
        "tenant = $1 AND visible AND job_id ="
        " (SELECT job_id FROM pictory.aliases WHERE tenant = $1 AND alias = $2)"}) {
    auto found = One(Statement(SelectRecord(where)).Bytes(tenant).Bytes(name));
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

std::vector<JobRecord> Reads::FindMany(const std::vector<jobs::JobKey>& keys) {
  Array tenant(Type::kBytes), job_id(Type::kBytes);
  for (const jobs::JobKey& key : keys) {
    tenant.Bytes(key.tenant);
    job_id.Bytes(key.id);
  }
  // LargeBytes of all before it says whether a record is still read.
  const Rows rows = connection_.Run(
      Statement(absl::StrCat("SELECT ", RecordColumns(),
                             " FROM (SELECT v.place, j.*, sum(octet_length(j.result_wire)"
                             " + octet_length(j.waiting_request) + octet_length(j.archive_wire))"
                             " OVER (ORDER BY v.place ROWS BETWEEN UNBOUNDED PRECEDING"
                             " AND 1 PRECEDING) AS bytes_before"
                             " FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY"
                             " AS v (tenant, job_id, place) JOIN pictory.jobs AS j"
                             " ON j.tenant = v.tenant AND j.job_id = v.job_id AND j.visible) AS f"
                             " WHERE coalesce(bytes_before, 0) < $3 ORDER BY place"))
          .Add(tenant)
          .Add(job_id)
          .Int(limits::kListReadMaxBytes));
  std::vector<JobRecord> records;
  for (int row = 0; row < rows.size(); ++row) records.push_back(ReadRecord(rows, row));
  return records;
}

std::optional<JobRecord> Reads::FindRequest(const std::string& tenant,
                                            const std::string& request_id) {
  return One(Statement(SelectRecord("tenant = $1 AND request_id = $2 AND request_id <> ''"))
                 .Bytes(tenant)
                 .Bytes(request_id));
}

std::optional<std::string> Reads::FindOwner(const std::string& account,
                                            const std::string& pictory_job_id) {
  const Rows rows = connection_.Run(
      Statement("SELECT tenant FROM pictory.jobs"
                " WHERE account = $1 AND pictory_job_id = $2 AND pictory_job_id <> ''")
          .Bytes(account)
          .Bytes(pictory_job_id));
  if (rows.size() == 0) return std::nullopt;
  return std::string(rows.Bytes(0, 0));
}

std::optional<JobRecord> Reads::FindToken(const std::string& token) {
  return One(Statement(SelectRecord("finish_time IS NULL AND correlation_token <> ''"
                                    " AND correlation_token = $1"))
                 .Bytes(token));
}

std::vector<std::string> Reads::FindHints(const jobs::JobKey& job) {
  const Rows rows =
      connection_.Run(Statement("SELECT pictory_job_id FROM pictory.hints WHERE tenant = $1"
                                " AND job_id = $2 ORDER BY kept_at, place")
                          .Bytes(job.tenant)
                          .Bytes(job.id));
  std::vector<std::string> hints;
  for (int row = 0; row < rows.size(); ++row) hints.emplace_back(rows.Bytes(row, 0));
  return hints;
}

std::optional<JobRecord> Reads::FindWithoutRequestId(const std::string& tenant,
                                                     const std::string& fingerprint,
                                                     const jobs::RetryEvidence& evidence,
                                                     WallTime since) {
  return One(Statement(SelectRecord("tenant = $1 AND fingerprint = $2 AND minted_request_id"
                                    " AND create_time >= $3"
                                    // RetryEvidence::Allows and IsCertain
                                    " AND ($5 OR ($4 <> '' AND mesh_request_id = $4)"
                                    " OR ($6 AND ($4 = '' OR mesh_request_id = '')))"
                                    " ORDER BY (NOT $5 AND $4 <> '' AND mesh_request_id = $4) DESC,"
                                    " create_time DESC LIMIT 1"))
                 .Bytes(tenant)
                 .Bytes(fingerprint)
                 .Time(since)
                 .Bytes(evidence.mesh_request_id)
                 .Bool(evidence.by_library)
                 .Bool(evidence.by_mesh));
}

std::vector<JobRecord> Reads::FindEqual(const jobs::EqualQuery& query, bool takes_over) {
  const auto is = [](jobs::SubmissionState state) {
    return absl::StrCat("submission = ", static_cast<int>(state));
  };
  const std::string first = absl::StrCat(" ORDER BY ", is(jobs::SubmissionState::kIntent),
                                         ", finish_time IS NOT NULL, job_id LIMIT 1");
  // MayBeRepeated
  const std::string in_time = absl::StrCat(
      "tenant = $1 AND fingerprint = $2 AND minted_request_id AND owner_epoch <> $4 AND (",
      is(jobs::SubmissionState::kIntent), " OR ", is(jobs::SubmissionState::kSending), " OR ",
      is(jobs::SubmissionState::kWaiting), " OR ((create_time >= $3 OR sent_at >= $3) AND (",
      OwedStill(), ")))", first);
  std::vector<JobRecord> found;
  const auto add = [this, &found](const Statement& statement) {
    if (std::optional<JobRecord> one = One(statement)) found.push_back(*std::move(one));
  };
  add(Statement(SelectRecord(in_time.c_str()))
          .Bytes(query.tenant)
          .Bytes(query.fingerprint)
          .Time(query.since)
          .Int(query.but_of));
  if (takes_over) {
    const std::string taken_over = absl::StrCat(
        "tenant = $1 AND fingerprint = $2 AND minted_request_id AND owner_epoch = $4"
        " AND (create_time >= $3 OR sent_at >= $3) AND delivery = ",
        static_cast<int>(jobs::Delivery::kLost), " AND ", OwedStill(), first);
    add(Statement(SelectRecord(taken_over.c_str()))
            .Bytes(query.tenant)
            .Bytes(query.fingerprint)
            .Time(query.since)
            .Int(query.but_of));
  }
  if (query.waits_in.has_value()) {
    const std::string waits = absl::StrCat(
        "shard = $3 AND unended AND tenant = $1 AND fingerprint = $2 AND minted_request_id"
        " AND state = ",
        static_cast<int>(jobs::v1::JOB_STATE_WAITING), first);
    add(Statement(SelectRecord(waits.c_str()))
            .Bytes(query.tenant)
            .Bytes(query.fingerprint)
            .Int(*query.waits_in));
  }
  return found;
}

std::vector<JobRecord> Reads::List(const std::string& tenant, const ListQuery& query) {
  std::vector<JobRecord> records;
  if (query.limit <= 0) return records;
  const Snapshot snapshot(connection_);
  const std::vector<std::string> ids = ListIds(tenant, query);
  std::size_t bytes = 0;
  for (std::size_t from = 0; from < ids.size() && bytes < limits::kListReadMaxBytes;
       from += kListStep) {
    Array wanted(Type::kBytes);
    for (std::size_t at = from; at < std::min(ids.size(), from + kListStep); ++at) {
      wanted.Bytes(ids[at]);
    }
    const Rows rows = connection_.Run(
        Statement(SelectRecord("tenant = $1 AND job_id = ANY($2::bytea[]) ORDER BY job_id DESC"))
            .Bytes(tenant)
            .Add(wanted));
    for (int row = 0; row < rows.size() && bytes < limits::kListReadMaxBytes; ++row) {
      records.push_back(ReadRecord(rows, row));
      bytes += jobs::LargeBytes(records.back());
    }
  }
  return records;
}

std::vector<std::string> Reads::ListIds(const std::string& tenant, const ListQuery& query) {
  const Rows rows = connection_.Run(ListSql(tenant, query).Make());
  std::vector<std::string> ids;
  for (int row = 0; row < rows.size(); ++row) ids.emplace_back(rows.Bytes(row, 0));
  return ids;
}

absl::StatusOr<jobs::PartChunk> Reads::ReadPart(const std::string& tenant,
                                                const std::string& job_id,
                                                jobs::v1::ResultPart part, std::int64_t offset,
                                                std::int64_t max_bytes) {
  const Snapshot snapshot(connection_);
  const Rows size = connection_.Run(Statement("SELECT total_bytes FROM pictory.parts WHERE"
                                              " tenant = $1 AND job_id = $2 AND part = $3"
                                              " AND slice = 0")
                                        .Bytes(tenant)
                                        .Bytes(job_id)
                                        .Int(part));
  if (size.size() == 0) return errors::PartNotFound(job_id, jobs::v1::ResultPart_Name(part));
  jobs::PartChunk chunk{.data = {}, .total_bytes = size.Int(0, 0)};
  const std::int64_t begin = std::clamp<std::int64_t>(offset, 0, chunk.total_bytes);
  const std::int64_t end =
      begin + std::clamp<std::int64_t>(max_bytes, 0, chunk.total_bytes - begin);
  if (begin == end) return chunk;
  chunk.data.reserve(static_cast<std::size_t>(end - begin));
  connection_.Stream(
      Statement("SELECT slice, bytes FROM pictory.parts WHERE tenant = $1 AND job_id = $2"
                " AND part = $3 AND slice BETWEEN $4 AND $5 ORDER BY slice")
          .Bytes(tenant)
          .Bytes(job_id)
          .Int(part)
          .Int(begin / kSlice)
          .Int((end - 1) / kSlice),
      [&](const Rows& row) {
        const std::int64_t at = row.Int(0, 0) * kSlice;
        const std::string_view slice = row.Bytes(0, 1);
        const auto skip = static_cast<std::size_t>(std::max<std::int64_t>(begin - at, 0));
        chunk.data.append(
            slice.substr(std::min(skip, slice.size()), static_cast<std::size_t>(end - at) - skip));
      });
  return chunk;
}

std::string Reads::FindFeedEnd() {
  const Rows rows = connection_.Run(
      "SELECT w.writer, greatest(w.forgotten,"
      " (SELECT max(f.n) FROM pictory.feed AS f WHERE f.writer = w.writer)),"
      " (SELECT feed FROM pictory.store)"
      // One that has ended writes nothing more; the newest stands for all of these.
      " FROM pictory.writers AS w WHERE w.ended_at IS NULL"
      " OR w.writer = (SELECT max(writer) FROM pictory.writers) ORDER BY w.writer");
  FeedPosition end;
  for (int row = 0; row < rows.size(); ++row) {
    end.feed = rows.Int(row, 2);
    end.read[rows.Int(row, 0)] = rows.Int(row, 1);
  }
  return end.Text();
}

absl::StatusOr<jobs::FeedPage> Reads::ReadFeed(const std::string& text, int limit) {
  std::optional<FeedPosition> position = FeedPosition::Parse(text);
  if (!position.has_value()) return jobs::FeedForgotten();
  const Snapshot snapshot(connection_);
  const Rows writers = connection_.Run(
      "SELECT w.writer, w.forgotten, greatest(w.forgotten,"
      " (SELECT max(f.n) FROM pictory.feed AS f WHERE f.writer = w.writer)),"
      " w.ended_at IS NOT NULL, (SELECT feed FROM pictory.store),"
      " (SELECT address FROM pictory.stops ORDER BY said_at LIMIT 1),"
      " (SELECT count(*) FROM pictory.gateways WHERE shares) FROM pictory.writers AS w");
  if (writers.size() == 0 || writers.Int(0, 4) != position->feed) return jobs::FeedForgotten();
  const std::int64_t newest = position->read.rbegin()->first;
  std::map<std::int64_t, std::int64_t> ends;
  std::set<std::int64_t> over;
  for (int row = 0; row < writers.size(); ++row) {
    const std::int64_t writer = writers.Int(row, 0);
    auto at = position->read.find(writer);
    if (at == position->read.end()) {
      if (writer < newest) continue;
      at = position->read.emplace(writer, 0).first;
    }
    ends[writer] = writers.Int(row, 2);
    if (at->second < writers.Int(row, 1) || at->second > ends[writer]) return jobs::FeedForgotten();
    if (writers.Bool(row, 3)) over.insert(writer);
  }
  Array writer(Type::kInt), after(Type::kInt);
  for (const auto& [id, n] : position->read) {
    if (!ends.contains(id)) return jobs::FeedForgotten();
    writer.Int(id);
    after.Int(n);
  }
  const Rows rows = connection_.Run(
      Statement("SELECT f.writer, f.n, f.tenant, f.job_id, f.shard, f.version, f.gone, f.hint"
                " FROM unnest($1::bigint[], $2::bigint[]) AS v (writer, n)"
                " CROSS JOIN LATERAL (SELECT * FROM pictory.feed AS one WHERE"
                " one.writer = v.writer AND one.n > v.n ORDER BY one.n LIMIT $3) AS f"
                " ORDER BY f.writer, f.n LIMIT $3")
          .Add(writer)
          .Add(after)
          .Int(std::max(limit, 0)));
  jobs::FeedPage page;
  if (!writers.IsNull(0, 5)) page.stopped_by = std::string(writers.Bytes(0, 5));
  page.sharers = static_cast<int>(writers.Int(0, 6));
  std::set<std::tuple<std::int64_t, bool, jobs::JobKey>> told;
  for (int row = rows.size() - 1; row >= 0; --row) {
    std::int64_t& read = position->read[rows.Int(row, 0)];
    read = std::max(read, rows.Int(row, 1));
    jobs::FeedEntry entry{.job = {std::string(rows.Bytes(row, 2)), std::string(rows.Bytes(row, 3))},
                          .shard = static_cast<std::int32_t>(rows.Int(row, 4)),
                          .version = rows.Int(row, 5),
                          .gone = rows.Bool(row, 6),
                          .hint = rows.Bool(row, 7)};
    // Once a page, as this writer left it.
    if (told.emplace(rows.Int(row, 0), entry.hint, entry.job).second)
      page.entries.push_back(std::move(entry));
  }
  std::reverse(page.entries.begin(), page.entries.end());
  for (const std::int64_t id : over) {
    if (position->read[id] == ends[id] && id < position->read.rbegin()->first) {
      position->read.erase(id);
    }
  }
  page.position = position->Text();
  return page;
}

void Reads::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  connection_.Stream(Statement(SelectRecord("unended AND visible ORDER BY next_poll_at")),
                     [&take](const Rows& row) { take(ReadRecord(row, 0)); });
}

namespace {

Array ShardArray(const std::vector<std::int32_t>& shards) {
  Array array(Type::kInt);
  for (const std::int32_t shard : shards) array.Int(shard);
  return array;
}

}  // namespace

void Reads::ReadShards(const std::vector<std::int32_t>& shards,
                       const std::function<void(JobRecord)>& take) {
  connection_.Stream(Statement(SelectRecord("unended AND visible AND shard = ANY($1::bigint[])"))
                         .Add(ShardArray(shards)),
                     [&take](const Rows& row) { take(ReadRecord(row, 0)); });
}

void Reads::ReadNotifying(const std::vector<std::int32_t>& shards,
                          const std::function<void(jobs::ShardJob)>& take) {
  StreamNames(shards,
              absl::StrCat("notifying = ", static_cast<int>(jobs::v1::NOTIFICATION_STATE_PENDING)),
              take);
}

void Reads::ReadArchiving(const std::vector<std::int32_t>& shards,
                          const std::function<void(jobs::ShardJob)>& take) {
  StreamNames(shards, "archiving", take);
}

// Who ended first comes first.
void Reads::StreamNames(const std::vector<std::int32_t>& shards, const std::string& where,
                        const std::function<void(jobs::ShardJob)>& take) {
  connection_.Stream(
      Statement(absl::StrCat("SELECT tenant, job_id, shard FROM pictory.jobs WHERE ", where,
                             " AND shard = ANY($1::bigint[]) ORDER BY finish_time"))
          .Add(ShardArray(shards)),
      [&take](const Rows& row) {
        take({.job = {std::string(row.Bytes(0, 0)), std::string(row.Bytes(0, 1))},
              .shard = static_cast<std::int32_t>(row.Int(0, 2))});
      });
}

}  // namespace gateway::postgres
