#include "postgres/copy_rows.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "postgres/record_columns.h"
#include "postgres/spending.h"

namespace gateway::postgres {
namespace {

using jobs::JobKey;
using store::CopiedJob;
using store::CopiedRest;
using store::CopiedSlice;
using store::CopyCounts;
using store::CopyMark;

constexpr std::size_t kSlicesInPage = limits::kStoreGroupMaxBytes / limits::kPartSliceBytes;

constexpr char kAfter[] = " WHERE (tenant, job_id) > ($1, $2)";
constexpr char kInPage[] =
    " WHERE (tenant, job_id) > ($1, $2) AND (tenant, job_id) <= ($3, $4) ORDER BY tenant, job_id";

// Has one row at most. It is made where it is needed, so that a database which no copy has touched
// is the same as ever.
constexpr char kCopyTable[] =
    "CREATE TABLE IF NOT EXISTS pictory.copy (id integer PRIMARY KEY CHECK (id = 1),"
    " target boolean NOT NULL, copy bytea NOT NULL, other bytea NOT NULL, source bytea NOT NULL,"
    " begun bigint NOT NULL, ended boolean NOT NULL, used boolean NOT NULL,"
    " last_tenant bytea NOT NULL, last_job_id bytea NOT NULL)";

bool HasCopyTable(Connection& connection) {
  return connection.Run("SELECT 1 WHERE to_regclass('pictory.copy') IS NOT NULL").size() > 0;
}

std::string TextIn(const Rows& rows, int row, int column) {
  return std::string(rows.Bytes(row, column));
}

Statement InPage(const std::string& select, const JobKey& after, const JobKey& last,
                 const std::string& order = "") {
  Statement statement(absl::StrCat(select, kInPage, order));
  statement.Bytes(after.tenant).Bytes(after.id).Bytes(last.tenant).Bytes(last.id);
  return statement;
}

// Texts of jobs, a column an array.
class JobTexts {
 public:
  explicit JobTexts(std::size_t texts) : texts_(texts, Array(Type::kBytes)) {}

  template <class... Texts>
  void Add(const JobKey& job, const Texts&... texts) {
    tenant_.Bytes(job.tenant);
    job_id_.Bytes(job.id);
    auto next = texts_.begin();
    ((next++)->Bytes(texts), ...);
  }
  // `sql` takes the tenants, the job ids and the texts.
  void Run(Connection& connection, const char* sql) const {
    if (tenant_.size() == 0) return;
    Statement statement(sql);
    statement.Add(tenant_).Add(job_id_);
    for (const Array& texts : texts_) statement.Add(texts);
    connection.Run(statement);
  }

 private:
  Array tenant_{Type::kBytes}, job_id_{Type::kBytes};
  std::vector<Array> texts_;
};

}  // namespace

std::optional<CopyMark> ReadCopyMark(Connection& connection) {
  if (!HasCopyTable(connection)) return std::nullopt;
  const Rows rows = connection.Run(
      "SELECT target, copy, other, source, begun, ended, used, last_tenant, last_job_id"
      " FROM pictory.copy");
  if (rows.size() == 0) return std::nullopt;
  return CopyMark{.target = rows.Bool(0, 0),
                  .copy = TextIn(rows, 0, 1),
                  .other = TextIn(rows, 0, 2),
                  .source = TextIn(rows, 0, 3),
                  .begun = rows.Time(0, 4),
                  .ended = rows.Bool(0, 5),
                  .used = rows.Bool(0, 6),
                  .last = {TextIn(rows, 0, 7), TextIn(rows, 0, 8)}};
}

void WriteCopyMark(Connection& connection, const std::optional<CopyMark>& mark) {
  if (!mark.has_value()) {
    connection.Run("DROP TABLE IF EXISTS pictory.copy");
    return;
  }
  connection.Run(kCopyTable);
  connection.Run("DELETE FROM pictory.copy");
  connection.Run(
      Statement("INSERT INTO pictory.copy VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)")
          .Bool(mark->target)
          .Bytes(mark->copy)
          .Bytes(mark->other)
          .Bytes(mark->source)
          .Time(mark->begun)
          .Bool(mark->ended)
          .Bool(mark->used)
          .Bytes(mark->last.tenant)
          .Bytes(mark->last.id));
}

absl::Status Admit(Connection& connection) {
  const std::optional<CopyMark> mark = ReadCopyMark(connection);
  if (absl::Status admitted = store::AdmitGateway(mark); !admitted.ok()) return admitted;
  if (mark.has_value() && !mark->used) connection.Run("UPDATE pictory.copy SET used = true");
  return absl::OkStatus();
}

absl::Status CheckUnused(Connection& connection, const std::string& gateway) {
  connection.Run("SELECT 1 FROM pictory.store FOR UPDATE");
  const Rows others = connection.Run(
      Statement("SELECT gateway, address FROM pictory.gateways WHERE gateway <> $1"
                " AND lease_until > extract(epoch FROM clock_timestamp()) * 1000000 LIMIT 1")
          .Bytes(gateway));
  if (others.size() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("The store is in use by the gateway ",
                                                    TextIn(others, 0, 0), " at ",
                                                    TextIn(others, 0, 1), "; end it first"));
}

std::string ReadStoreId(Connection& connection) {
  return absl::StrCat("postgres ", connection.Run("SELECT feed FROM pictory.store").Int(0, 0));
}

CopyCounts CountRows(Connection& connection) {
  const auto count = [&connection](const char* table) {
    return connection.Run(Statement(absl::StrCat("SELECT count(*) FROM pictory.", table)))
        .Int(0, 0);
  };
  return {.jobs = count("jobs"),
          .labels = count("labels"),
          .slices = count(absl::StrCat("parts WHERE part < ", kPartAside).c_str()),
          .aliases = count("aliases"),
          .hints = count("hints"),
          .accounts = count("accounts")};
}

CopiedRest ReadCopiedRest(Connection& connection) {
  // The end of several gateways' epochs is one number in the copy: the last before the first of
  // which something may be owed.
  const Rows store = connection.Run(
      Statement("SELECT epoch, CASE WHEN NOT EXISTS (SELECT 1 FROM pictory.clean_epochs)"
                " THEN clean_epoch ELSE coalesce((SELECT min(owner_epoch) - 1 FROM pictory.jobs"
                " WHERE minted_request_id AND delivery = $1 AND owner_epoch > clean_epoch"
                " AND owner_epoch NOT IN (SELECT epoch FROM pictory.clean_epochs)), epoch) END"
                " FROM pictory.store")
          .Int(static_cast<std::int64_t>(jobs::Delivery::kUnsaid)));
  CopiedRest rest{.epoch = store.Int(0, 0), .clean_epoch = store.Int(0, 1)};
  const Rows accounts =
      connection.Run("SELECT account, answered_at, asked_since FROM pictory.accounts");
  for (int row = 0; row < accounts.size(); ++row) {
    rest.accounts[TextIn(accounts, row, 0)] = {.answered = accounts.Time(row, 1),
                                               .since = accounts.Time(row, 2)};
  }
  return rest;
}

std::vector<CopiedJob> ReadCopiedJobs(Connection& connection, const JobKey& after) {
  // The sizes first, which stand in the rows: the values themselves may be large.
  const Rows sizes = connection.Run(
      Statement(absl::StrCat("SELECT tenant, job_id, octet_length(result_wire)::bigint"
                             " + octet_length(waiting_request) + octet_length(archive_wire)"
                             " FROM pictory.jobs",
                             kAfter, " ORDER BY tenant, job_id LIMIT $3"))
          .Bytes(after.tenant)
          .Bytes(after.id)
          .Int(limits::kCopyJobs));
  if (sizes.size() == 0) return {};
  int end = 0;
  for (std::size_t bytes = 0; end < sizes.size() && bytes < limits::kStoreGroupMaxBytes; ++end) {
    bytes += static_cast<std::size_t>(sizes.Int(end, 2));
  }
  const JobKey last{TextIn(sizes, end - 1, 0), TextIn(sizes, end - 1, 1)};

  std::vector<CopiedJob> jobs;
  const Rows records = connection.Run(
      InPage(absl::StrCat("SELECT claims, ", RecordColumns(), " FROM pictory.jobs"), after, last));
  for (int row = 0; row < records.size(); ++row) {
    jobs.push_back({.record = ReadRecord(records, row, 1),
                    .claims = static_cast<std::int32_t>(records.Int(row, 0))});
  }
  std::map<JobKey, CopiedJob*> by_key;
  for (CopiedJob& job : jobs) by_key[job.key()] = &job;
  const auto add = [&by_key](const Rows& rows, std::vector<std::string> CopiedJob::* texts) {
    for (int row = 0; row < rows.size(); ++row) {
      const auto job = by_key.find({TextIn(rows, row, 0), TextIn(rows, row, 1)});
      if (job != by_key.end()) (job->second->*texts).push_back(TextIn(rows, row, 2));
    }
  };
  add(connection.Run(
          InPage("SELECT tenant, job_id, alias FROM pictory.aliases", after, last, ", alias")),
      &CopiedJob::aliases);
  add(connection.Run(InPage("SELECT tenant, job_id, pictory_job_id FROM pictory.hints", after, last,
                            ", kept_at, place")),
      &CopiedJob::hints);
  return jobs;
}

std::vector<JobKey> FindCopiedSlices(Connection& connection, const JobKey& after,
                                     const JobKey& last) {
  const Rows rows = connection.Run(
      InPage(absl::StrCat("SELECT DISTINCT tenant, job_id FROM (SELECT tenant, job_id FROM"
                          " pictory.parts WHERE part < ",
                          kPartAside, ") AS parts"),
             after, last));
  std::vector<JobKey> found;
  for (int row = 0; row < rows.size(); ++row) {
    found.push_back({TextIn(rows, row, 0), TextIn(rows, row, 1)});
  }
  return found;
}

std::vector<CopiedSlice> ReadCopiedSlices(Connection& connection, const JobKey& job, int part,
                                          std::int64_t after_slice) {
  const Rows rows =
      connection.Run(Statement("SELECT part, slice, total_bytes, bytes FROM pictory.parts"
                               " WHERE tenant = $1 AND job_id = $2 AND (part, slice) > ($3, $4)"
                               " AND part < $6 ORDER BY part, slice LIMIT $5")
                         .Bytes(job.tenant)
                         .Bytes(job.id)
                         .Int(part)
                         .Int(after_slice)
                         .Int(static_cast<std::int64_t>(kSlicesInPage))
                         .Int(kPartAside));
  std::vector<CopiedSlice> slices;
  for (int row = 0; row < rows.size(); ++row) {
    slices.push_back({.job = job,
                      .part = static_cast<int>(rows.Int(row, 0)),
                      .slice = rows.Int(row, 1),
                      .total_bytes = rows.Int(row, 2),
                      .bytes = TextIn(rows, row, 3)});
  }
  return slices;
}

void ClearRows(Connection& connection, const std::optional<CopyMark>& mark) {
  connection.Run(
      "TRUNCATE pictory.jobs, pictory.labels, pictory.parts, pictory.aliases, pictory.hints,"
      " pictory.accounts, pictory.feed, pictory.spending");
  // A position in the feed before this must not be taken for one in what follows.
  connection.Run("UPDATE pictory.store SET feed = floor(random() * 9e15)::bigint");
  WriteCopyMark(connection, mark);
}

void WriteCopiedSlices(Connection& connection, const std::vector<CopiedSlice>& slices) {
  Array tenant(Type::kBytes), job_id(Type::kBytes), part(Type::kInt), at(Type::kInt),
      total(Type::kInt), bytes(Type::kBytes);
  for (const CopiedSlice& slice : slices) {
    tenant.Bytes(slice.job.tenant);
    job_id.Bytes(slice.job.id);
    part.Int(slice.part);
    at.Int(slice.slice);
    total.Int(slice.total_bytes);
    bytes.Bytes(slice.bytes);
  }
  connection.Run(
      Statement("INSERT INTO pictory.parts (tenant, job_id, part, slice, total_bytes, bytes)"
                " SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[],"
                " $5::bigint[], $6::bytea[]) ON CONFLICT DO NOTHING")
          .Add(tenant)
          .Add(job_id)
          .Add(part)
          .Add(at)
          .Add(total)
          .Add(bytes));
}

void WriteCopiedJobs(Connection& connection, const std::vector<CopiedJob>& jobs) {
  if (jobs.empty()) return;
  RecordArrays records;
  JobTexts labels(2), aliases(1), hints(1);
  Array tenant(Type::kBytes), job_id(Type::kBytes), claims(Type::kInt);
  for (const CopiedJob& job : jobs) {
    const JobKey key = job.key();
    records.Add(job.record, job.record.version);
    for (const auto& [name, value] : job.record.job.labels) labels.Add(key, name, value);
    for (const std::string& alias : job.aliases) aliases.Add(key, alias);
    for (const std::string& hint : job.hints) hints.Add(key, hint);
    if (job.claims == 0) continue;
    tenant.Bytes(key.tenant);
    job_id.Bytes(key.id);
    claims.Int(job.claims);
  }
  Statement insert(absl::StrCat("INSERT INTO pictory.jobs (", RecordArrays::Columns(), ") SELECT ",
                                RecordArrays::Columns(), " FROM ", RecordArrays::Unnest()));
  records.AddTo(insert);
  connection.Run(insert);
  if (claims.size() > 0) {
    connection.Run(Statement("UPDATE pictory.jobs AS j SET claims = v.claims"
                             " FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])"
                             " AS v (tenant, job_id, claims)"
                             " WHERE j.tenant = v.tenant AND j.job_id = v.job_id")
                       .Add(tenant)
                       .Add(job_id)
                       .Add(claims));
  }
  labels.Run(connection,
             "INSERT INTO pictory.labels (tenant, job_id, key, value) SELECT * FROM"
             " unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[])");
  aliases.Run(connection,
              "INSERT INTO pictory.aliases (tenant, job_id, alias) SELECT * FROM"
              " unnest($1::bytea[], $2::bytea[], $3::bytea[])");
  hints.Run(connection,
            "INSERT INTO pictory.hints (tenant, job_id, pictory_job_id, place, kept_at)"
            " SELECT tenant, job_id, hint, row_number() OVER (PARTITION BY tenant, job_id"
            " ORDER BY n) - 1, extract(epoch FROM clock_timestamp()) * 1000000"
            " FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) WITH ORDINALITY"
            " AS v (tenant, job_id, hint, n)");
  const JobKey last = jobs.back().key();
  connection.Run(Statement("UPDATE pictory.copy SET last_tenant = $1, last_job_id = $2")
                     .Bytes(last.tenant)
                     .Bytes(last.id));
}

void WriteCopiedRest(Connection& connection, const CopiedRest& rest) {
  connection.Run(Statement("UPDATE pictory.store SET epoch = greatest(epoch, $1), clean_epoch = $2")
                     .Int(rest.epoch)
                     .Int(rest.clean_epoch));
  connection.Run("DELETE FROM pictory.clean_epochs");
  connection.Run("DELETE FROM pictory.accounts");
  for (const auto& [name, asked] : rest.accounts) {
    connection.Run(Statement("INSERT INTO pictory.accounts VALUES ($1, $2, $3)")
                       .Bytes(name)
                       .Time(asked.answered)
                       .Time(asked.since));
  }
  CountJobs(connection);
}

}  // namespace gateway::postgres
