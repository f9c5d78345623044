#include "store/copy_rows.h"

#include <map>

#include "SQLiteCpp/Statement.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "store/label_bytes.h"
#include "store/record_row.h"
#include "store/schema.h"

namespace gateway::store {
namespace {

using jobs::JobKey;

constexpr std::size_t kSlicesInPage = limits::kStoreGroupMaxBytes / limits::kPartSliceBytes;

// Has one row at most. It is made where it is needed, so that a file which no copy has touched is
// the same as ever.
constexpr char kCopyTable[] =
    "CREATE TABLE IF NOT EXISTS copy (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " target INTEGER NOT NULL, copy TEXT NOT NULL, other TEXT NOT NULL, source TEXT NOT NULL,"
    " begun INTEGER NOT NULL, ended INTEGER NOT NULL, used INTEGER NOT NULL,"
    " last_tenant TEXT NOT NULL, last_job_id TEXT NOT NULL) STRICT";

bool HasCopyTable(SQLite::Database& db) { return db.tableExists("copy"); }

std::int64_t Count(SQLite::Database& db, const std::string& table) {
  return db.execAndGet(absl::StrCat("SELECT count(*) FROM ", table)).getInt64();
}

void Bind(SQLite::Statement& statement, int index, const JobKey& key) {
  statement.bindNoCopy(index, key.tenant);
  statement.bindNoCopy(index + 1, key.id);
}

std::int64_t Micros(WallTime at) { return at.time_since_epoch().count(); }

WallTime TimeIn(SQLite::Statement& row, int column) {
  return WallTime(std::chrono::microseconds(row.getColumn(column).getInt64()));
}

// Calls `take` with the job and the text of each row of a table that has several of a job.
template <class Take>
void ForTexts(SQLite::Database& db, const std::string& sql, const JobKey& after, const JobKey& last,
              Take take) {
  SQLite::Statement find(db, sql);
  Bind(find, 1, after);
  Bind(find, 3, last);
  while (find.executeStep()) {
    take(JobKey{find.getColumn(0).getString(), find.getColumn(1).getString()},
         find.getColumn(2).getString());
  }
}

}  // namespace

std::optional<CopyMark> ReadCopyMark(SQLite::Database& db) {
  if (!HasCopyTable(db)) return std::nullopt;
  SQLite::Statement read(db,
                         "SELECT target, copy, other, source, begun, ended, used, last_tenant,"
                         " last_job_id FROM copy");
  if (!read.executeStep()) return std::nullopt;
  return CopyMark{.target = read.getColumn(0).getInt() != 0,
                  .copy = read.getColumn(1).getString(),
                  .other = read.getColumn(2).getString(),
                  .source = read.getColumn(3).getString(),
                  .begun = TimeIn(read, 4),
                  .ended = read.getColumn(5).getInt() != 0,
                  .used = read.getColumn(6).getInt() != 0,
                  .last = {read.getColumn(7).getString(), read.getColumn(8).getString()}};
}

void WriteCopyMark(SQLite::Database& db, const std::optional<CopyMark>& mark) {
  if (!mark.has_value()) {
    db.exec("DROP TABLE IF EXISTS copy");
    return;
  }
  db.exec(kCopyTable);
  SQLite::Statement write(db, "INSERT OR REPLACE INTO copy VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  write.bind(1, mark->target ? 1 : 0);
  write.bindNoCopy(2, mark->copy);
  write.bindNoCopy(3, mark->other);
  write.bindNoCopy(4, mark->source);
  write.bind(5, Micros(mark->begun));
  write.bind(6, mark->ended ? 1 : 0);
  write.bind(7, mark->used ? 1 : 0);
  Bind(write, 8, mark->last);
  write.exec();
}

void NoteCopyUsed(SQLite::Database& db) {
  if (HasCopyTable(db)) db.exec("UPDATE copy SET used = 1 WHERE target = 1 AND used = 0");
}

std::string ReadStoreId(SQLite::Database& db) {
  return absl::StrCat("sqlite ", db.execAndGet("SELECT feed_id FROM store").getString());
}

CopyCounts CountRows(SQLite::Database& db) {
  return {.jobs = Count(db, "jobs"),
          .labels = Count(db, "labels"),
          .slices = Count(db, "parts"),
          .aliases = Count(db, "aliases"),
          .hints = Count(db, "hints"),
          .accounts = Count(db, "accounts")};
}

CopiedRest ReadCopiedRest(SQLite::Database& db) {
  CopiedRest rest;
  SQLite::Statement store(db, "SELECT epoch, clean_epoch FROM store");
  if (store.executeStep()) {
    rest.epoch = store.getColumn(0).getInt64();
    rest.clean_epoch = store.getColumn(1).getInt64();
  }
  SQLite::Statement accounts(db, "SELECT account, answered_at, asked_since FROM accounts");
  while (accounts.executeStep()) {
    rest.accounts[accounts.getColumn(0).getString()] = {.answered = TimeIn(accounts, 1),
                                                        .since = TimeIn(accounts, 2)};
  }
  return rest;
}

std::vector<CopiedJob> ReadCopiedJobs(SQLite::Database& db, const JobKey& after) {
  std::vector<CopiedJob> jobs;
  {
    SQLite::Statement find(
        db, absl::StrCat("SELECT claims, ", kRecordColumns,
                         " FROM jobs INDEXED BY jobs_by_id WHERE (tenant, job_id) > (?1, ?2)"
                         " ORDER BY tenant, job_id LIMIT ?3"));
    Bind(find, 1, after);
    find.bind(3, limits::kCopyJobs);
    std::size_t bytes = 0;
    while (bytes < limits::kStoreGroupMaxBytes && find.executeStep()) {
      CopiedJob job{.record = ReadRecord(find, 1), .claims = find.getColumn(0).getInt()};
      bytes += job.record.job.result_wire.size() + job.record.waiting_request.size() +
               job.record.job.archive_wire.size();
      jobs.push_back(std::move(job));
    }
  }
  if (jobs.empty()) return jobs;
  std::map<JobKey, CopiedJob*> by_key;
  for (CopiedJob& job : jobs) by_key[job.key()] = &job;
  const JobKey last = jobs.back().key();
  ForTexts(db,
           "SELECT tenant, job_id, alias FROM aliases INDEXED BY aliases_of"
           " WHERE (tenant, job_id) > (?1, ?2) AND (tenant, job_id) <= (?3, ?4)"
           " ORDER BY tenant, job_id, alias",
           after, last, [&](const JobKey& key, std::string alias) {
             if (const auto job = by_key.find(key); job != by_key.end()) {
               job->second->aliases.push_back(std::move(alias));
             }
           });
  ForTexts(db,
           "SELECT tenant, job_id, pictory_job_id FROM hints"
           " WHERE (tenant, job_id) > (?1, ?2) AND (tenant, job_id) <= (?3, ?4) ORDER BY id",
           after, last, [&](const JobKey& key, std::string hint) {
             if (const auto job = by_key.find(key); job != by_key.end()) {
               job->second->hints.push_back(std::move(hint));
             }
           });
  return jobs;
}

std::vector<JobKey> FindCopiedSlices(SQLite::Database& db, const JobKey& after,
                                     const JobKey& last) {
  SQLite::Statement find(db,
                         "SELECT DISTINCT tenant, job_id FROM parts"
                         " WHERE (tenant, job_id) > (?1, ?2) AND (tenant, job_id) <= (?3, ?4)"
                         " ORDER BY tenant, job_id");
  Bind(find, 1, after);
  Bind(find, 3, last);
  std::vector<JobKey> found;
  while (find.executeStep()) {
    found.push_back({find.getColumn(0).getString(), find.getColumn(1).getString()});
  }
  return found;
}

std::vector<CopiedSlice> ReadCopiedSlices(SQLite::Database& db, const JobKey& job, int part,
                                          std::int64_t after_slice) {
  SQLite::Statement find(db,
                         "SELECT part, slice, total_bytes, bytes FROM parts"
                         " WHERE tenant = ?1 AND job_id = ?2 AND (part, slice) > (?3, ?4)"
                         " ORDER BY part, slice LIMIT ?5");
  Bind(find, 1, job);
  find.bind(3, part);
  find.bind(4, after_slice);
  find.bind(5, static_cast<std::int64_t>(kSlicesInPage));
  std::vector<CopiedSlice> slices;
  while (find.executeStep()) {
    slices.push_back({.job = job,
                      .part = find.getColumn(0).getInt(),
                      .slice = find.getColumn(1).getInt64(),
                      .total_bytes = find.getColumn(2).getInt64(),
                      .bytes = find.getColumn(3).getString()});
  }
  return slices;
}

void ClearRows(SQLite::Database& db, const std::optional<CopyMark>& mark) {
  for (const char* table : {"jobs", "labels", "parts", "aliases", "hints", "accounts"}) {
    db.exec(absl::StrCat("DELETE FROM ", table));
  }
  // A position in the feed before this must not be taken for one in what follows.
  db.exec("DELETE FROM tombstones");
  db.exec("UPDATE store SET feed_id = lower(hex(randomblob(8)))");
  WriteCopyMark(db, mark);
}

void WriteCopiedSlices(SQLite::Database& db, const std::vector<CopiedSlice>& slices) {
  SQLite::Statement put(db,
                        "INSERT OR REPLACE INTO parts (tenant, job_id, part, slice, total_bytes,"
                        " bytes) VALUES (?, ?, ?, ?, ?, ?)");
  for (const CopiedSlice& slice : slices) {
    StatementUse use(put);
    Bind(*use, 1, slice.job);
    use->bind(3, slice.part);
    use->bind(4, slice.slice);
    use->bind(5, slice.total_bytes);
    use->bindNoCopy(6, slice.bytes.data(), static_cast<int>(slice.bytes.size()));
    use->exec();
  }
}

void WriteCopiedJobs(SQLite::Database& db, const std::vector<CopiedJob>& jobs) {
  if (jobs.empty()) return;
  SQLite::Statement insert(db, absl::StrCat("INSERT INTO jobs (", kRecordColumns,
                                            ", claims) VALUES (", kRecordValues, ", ?)"));
  SQLite::Statement label(db,
                          "INSERT INTO labels (tenant, job_id, key, value) VALUES (?, ?, ?, ?)");
  SQLite::Statement alias(db, "INSERT INTO aliases (tenant, job_id, alias) VALUES (?, ?, ?)");
  SQLite::Statement hint(db, "INSERT INTO hints (tenant, job_id, pictory_job_id) VALUES (?, ?, ?)");
  const auto put = [](SQLite::Statement& statement, const JobKey& key, const auto&... texts) {
    StatementUse use(statement);
    Bind(*use, 1, key);
    int index = 2;
    (use->bindNoCopy(++index, texts), ...);
    use->exec();
  };
  for (const CopiedJob& job : jobs) {
    const JobKey key = job.key();
    {
      const std::string labels = EncodeGiven(job.record.job);
      StatementUse use(insert);
      BindRecord(*use, job.record, labels, job.record.version);
      use->bind(kRecordColumnCount + 1, job.claims);
      use->exec();
    }
    for (const auto& [name, value] : job.record.job.labels) put(label, key, name, value);
    for (const std::string& name : job.aliases) put(alias, key, name);
    for (const std::string& id : job.hints) put(hint, key, id);
  }
  const JobKey last = jobs.back().key();
  SQLite::Statement note(db, "UPDATE copy SET last_tenant = ?, last_job_id = ?");
  Bind(note, 1, last);
  note.exec();
}

void WriteCopiedRest(SQLite::Database& db, const CopiedRest& rest) {
  RaiseEpoch(db, rest.epoch);
  db.exec(absl::StrCat("UPDATE store SET clean_epoch = ", rest.clean_epoch));
  db.exec("DELETE FROM accounts");
  SQLite::Statement account(db, "INSERT INTO accounts VALUES (?, ?, ?)");
  for (const auto& [name, asked] : rest.accounts) {
    StatementUse use(account);
    use->bindNoCopy(1, name);
    use->bind(2, Micros(asked.answered));
    use->bind(3, Micros(asked.since));
    use->exec();
  }
}

}  // namespace gateway::store
