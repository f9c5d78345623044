#include "store/job_writes.h"

#include <algorithm>
#include <utility>

#include "SQLiteCpp/Column.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fail_point.h"
#include "base/limits.h"
#include "jobs/restart.h"
#include "jobs/spending.h"
#include "store/hint_rows.h"
#include "store/label_bytes.h"
#include "store/record_row.h"
#include "store/schema.h"
#include "store/state_sql.h"

namespace gateway::store {

using jobs::BeginResult;
using jobs::Job;
using jobs::JobRecord;
using jobs::SubmissionState;

namespace {

std::string WithoutLast(const std::string& list) { return list.substr(0, list.rfind(',')); }

}  // namespace

JobWrites::JobWrites(SQLite::Database& db, std::int64_t tombstones_max)
    : db_(db),
      tombstones_max_(tombstones_max),
      change_(db.execAndGet(kLastChangeSql).getInt64()),
      find_request_(db, absl::StrCat("SELECT id, ", kRecordColumns,
                                     " FROM jobs WHERE tenant = ? AND request_id = ?"
                                     " AND request_id <> ''")),
      find_(db, "SELECT id, version, labels FROM jobs WHERE tenant = ? AND job_id = ?"),
      insert_(db, absl::StrCat("INSERT INTO jobs (", kRecordColumns, ", change) VALUES (",
                               kRecordValues, ", ?)")),
      // Only one class knows whether the answer has arrived, and many write the record, so
      // `delivery` is never taken back here. A record that was never sent begins anew.
      replace_(db, absl::StrCat("UPDATE jobs SET (", WithoutLast(kRecordColumns), ") = (",
                                WithoutLast(kRecordValues), "), delivery = CASE WHEN ?",
                                kRecordColumnCount, " = ", Sql(jobs::Delivery::kArrived),
                                " OR submission = ", Sql(SubmissionState::kNotSent), " THEN ?",
                                kRecordColumnCount, " ELSE delivery END, change = ?",
                                kRecordColumnCount + 1, " WHERE id = ?", kRecordColumnCount + 2)),
      insert_label_(db, "INSERT INTO labels (tenant, key, value, job_id) VALUES (?, ?, ?, ?)"),
      remove_label_(db,
                    "DELETE FROM labels WHERE tenant = ? AND key = ? AND value = ? AND job_id = ?"),
      put_slice_(db,
                 "INSERT INTO parts (tenant, job_id, part, slice, total_bytes, bytes)"
                 " VALUES (?, ?, ?, ?, ?, ?)"),
      remove_part_(db, "DELETE FROM parts WHERE tenant = ? AND job_id = ? AND part = ?"),
      remove_parts_(db, "DELETE FROM parts WHERE tenant = ? AND job_id = ?"),
      remove_aliases_(db, "DELETE FROM aliases WHERE tenant = ? AND job_id = ? RETURNING alias"),
      remove_job_(db, "DELETE FROM jobs WHERE id = ?"),
      put_tombstone_(db,
                     "INSERT INTO tombstones (change, tenant, job_id, shard) VALUES (?, ?, ?, ?)"),
      claim_(db,
             absl::StrCat("UPDATE jobs SET claims = claims + 1"
                          " WHERE tenant = ? AND job_id = ? AND claims = ? AND delivery <> ",
                          Sql(jobs::Delivery::kArrived), " AND ", SubmissionIn(jobs::CanBeOwed))),
      prunable_(db,
                absl::StrCat("SELECT * FROM (SELECT id, tenant, job_id, labels, shard FROM jobs "
                             "INDEXED BY jobs_finished"
                             " WHERE visible = 1 AND finish_time IS NOT NULL AND finish_time < ?1"
                             " ORDER BY finish_time LIMIT ?3)"
                             " UNION ALL "
                             "SELECT * FROM (SELECT id, tenant, job_id, labels, shard FROM jobs "
                             "INDEXED BY jobs_unseen"
                             " WHERE ",
                             IsUnseenSql(),
                             " AND update_time < ?2"
                             " ORDER BY update_time LIMIT ?3)"
                             " LIMIT ?3")) {}

absl::StatusOr<BeginResult> JobWrites::Begin(JobRecord record) {
  {
    StatementUse find(find_request_);
    find->bindNoCopy(1, record.job.tenant);
    find->bindNoCopy(2, record.job.request_id);
    if (find->executeStep()) {
      const std::int64_t row = find->getColumn(0).getInt64();
      JobRecord known = ReadRecord(*find, 1);
      std::optional<JobRecord> again = jobs::BeginAgain(known, std::move(record));
      if (!again.has_value()) return BeginResult{.begun = false, .record = std::move(known)};
      Replace(row, *again, known.job.labels);
      ++again->version;
      return BeginResult{.begun = true, .record = *std::move(again)};
    }
  }
  Insert(record);
  record.version = 1;
  FailPoint("intent-uncommitted");
  return BeginResult{.begun = true, .record = std::move(record)};
}

absl::Status JobWrites::Update(const JobRecord& record,
                               const std::vector<pictory::JobResult::Part>& parts) {
  const absl::StatusOr<Row> row = RowToChange(record);
  if (!row.ok()) return row.status();
  Replace(row->id, record, row->labels);
  for (const auto& part : parts) {
    PutPart(record.job.tenant, record.job.job_id, part, 0, jobs::PartSlices(part.bytes.size()));
  }
  return absl::OkStatus();
}

absl::Status JobWrites::PutSlices(const JobRecord& record, const pictory::JobResult::Part& part,
                                  std::size_t first, std::size_t last) {
  if (absl::Status row = RowToChange(record).status(); !row.ok()) return row;
  PutPart(record.job.tenant, record.job.job_id, part, first, last);
  return absl::OkStatus();
}

void JobWrites::Adopt(const JobRecord& record) { Insert(record); }

// The statements are prepared each time, because such a job is rare.
absl::StatusOr<std::string> JobWrites::TakeOver(const JobRecord& record,
                                                std::int64_t adopted_version) {
  const absl::StatusOr<Row> row = RowToChange(record);
  if (!row.ok()) return row.status();
  const Job& job = record.job;
  std::string adopted;
  {
    SQLite::Statement find(db_,
                           "SELECT id, tenant, job_id, labels, shard, version FROM jobs"
                           " WHERE account = ?1 AND pictory_job_id = ?2 AND pictory_job_id <> ''"
                           " AND tenant = ?3 AND request_id = '' AND id <> ?4");
    find.bindNoCopy(1, record.job.account);
    find.bindNoCopy(2, job.pictory_job_id);
    find.bindNoCopy(3, job.tenant);
    find.bind(4, row->id);
    const bool found = find.executeStep();
    if ((found ? find.getColumn(5).getInt64() : 0) != adopted_version) {
      return jobs::ChangedMeanwhile();
    }
    if (found) {
      const Old old = ReadOld(find);
      adopted = old.key.id;
      Rename(job.tenant, adopted, job.job_id);
      Remove(old);
    }
  }
  Replace(row->id, record, row->labels);
  return adopted;
}

void JobWrites::Rename(const std::string& tenant, const std::string& adopted,
                       const std::string& job_id) {
  for (const char* sql :
       {"UPDATE OR REPLACE parts SET job_id = ?3 WHERE tenant = ?1 AND job_id = ?2",
        "UPDATE aliases SET job_id = ?3 WHERE tenant = ?1 AND job_id = ?2",
        "INSERT INTO aliases (tenant, alias, job_id) VALUES (?1, ?2, ?3)"}) {
    SQLite::Statement statement(db_, sql);
    statement.bindNoCopy(1, tenant);
    statement.bindNoCopy(2, adopted);
    statement.bindNoCopy(3, job_id);
    statement.exec();
  }
}

absl::Status JobWrites::Delete(const JobRecord& record) {
  const absl::StatusOr<Row> row = RowToChange(record);
  if (!row.ok()) return row.status();
  Replace(row->id, record, row->labels);
  RemoveParts(record.job.tenant, record.job.job_id);
  return absl::OkStatus();
}

bool JobWrites::Claim(const jobs::OwedAnswers::Claim& claim) {
  StatementUse take(claim_);
  take->bindNoCopy(1, claim.job.tenant);
  take->bindNoCopy(2, claim.job.id);
  take->bind(3, claim.claims);
  return take->exec() > 0;
}

void JobWrites::EndEpoch(const std::vector<jobs::OwedJob>& owed) {
  SQLite::Statement mark(db_, "UPDATE jobs SET delivery = ?1 WHERE tenant = ?2 AND job_id = ?3");
  for (const jobs::OwedJob& job : owed) {
    StatementUse use(mark);
    use->bind(1, static_cast<int>(job.delivery));
    use->bindNoCopy(2, job.tenant);
    use->bindNoCopy(3, job.job_id);
    use->exec();
  }
  db_.exec("UPDATE store SET clean_epoch = epoch");
}

// Makes the owed jobs this process's own: it says from now on what became of their answers.
void JobWrites::Owe(const std::vector<jobs::OwedJob>& owed, std::int64_t epoch) {
  SQLite::Statement take(db_,
                         absl::StrCat("UPDATE jobs SET delivery = ", Sql(jobs::Delivery::kUnsaid),
                                      ", owner_epoch = ?1 WHERE tenant = ?2 AND job_id = ?3"));
  for (const jobs::OwedJob& job : owed) {
    StatementUse use(take);
    use->bind(1, epoch);
    use->bindNoCopy(2, job.tenant);
    use->bindNoCopy(3, job.job_id);
    use->exec();
  }
}

std::vector<jobs::JobKey> JobWrites::Prune(const jobs::PruneQuery& query) {
  std::vector<Old> old;
  {
    StatementUse prunable(prunable_);
    prunable->bind(1, static_cast<std::int64_t>(query.finished_before.time_since_epoch().count()));
    prunable->bind(2, static_cast<std::int64_t>(query.untouched_since.time_since_epoch().count()));
    prunable->bind(3, query.limit);
    while (prunable->executeStep()) old.push_back(ReadOld(*prunable));
  }
  std::vector<jobs::JobKey> pruned;
  int slices = 0;
  for (Old& record : old) {
    if (slices >= limits::kPruneSlicesMax) break;
    pruned.push_back(record.key);
    slices += Remove(record, &pruned);
  }
  if (!pruned.empty()) ForgetTombstones();
  return pruned;
}

JobWrites::Old JobWrites::ReadOld(SQLite::Statement& row) {
  return {.id = row.getColumn(0).getInt64(),
          .key = {row.getColumn(1).getString(), row.getColumn(2).getString()},
          .labels = DecodeLabels(row.getColumn(3).getString()),
          .shard = row.getColumn(4).getInt()};
}

int JobWrites::Remove(const Old& old, std::vector<jobs::JobKey>* aliases_removed) {
  RemoveLabels(old.key.tenant, old.key.id, old.labels);
  const int slices = RemoveParts(old.key.tenant, old.key.id);
  {
    StatementUse aliases(remove_aliases_);
    aliases->bindNoCopy(1, old.key.tenant);
    aliases->bindNoCopy(2, old.key.id);
    while (aliases->executeStep()) {
      if (aliases_removed == nullptr) continue;
      aliases_removed->push_back({old.key.tenant, aliases->getColumn(0).getString()});
    }
  }
  {
    StatementUse remove(remove_job_);
    remove->bind(1, old.id);
    remove->exec();
  }
  StatementUse tombstone(put_tombstone_);
  tombstone->bind(1, ++change_);
  tombstone->bindNoCopy(2, old.key.tenant);
  tombstone->bindNoCopy(3, old.key.id);
  tombstone->bind(4, old.shard);
  tombstone->exec();
  return slices;
}

// Forgets what deleted jobs left, except the newest. A reader of the feed who has not read the
// others yet learns of it by feed_begin.
void JobWrites::ForgetTombstones() {
  SQLite::Statement find(db_,
                         "SELECT change FROM tombstones ORDER BY change DESC LIMIT 1 OFFSET ?1");
  find.bind(1, tombstones_max_);
  if (!find.executeStep()) return;
  const std::int64_t last = find.getColumn(0).getInt64();
  find.reset();
  db_.exec(absl::StrCat("DELETE FROM tombstones WHERE change <= ", last));
  db_.exec(absl::StrCat("UPDATE store SET feed_begin = ", last));
}

void JobWrites::NoteAsked(const std::string& account, const jobs::Asked& asked) {
  SQLite::Statement note(db_, "INSERT OR REPLACE INTO accounts VALUES (?1, ?2, ?3)");
  note.bindNoCopy(1, account);
  note.bind(2, static_cast<std::int64_t>(asked.answered.time_since_epoch().count()));
  note.bind(3, static_cast<std::int64_t>(asked.since.time_since_epoch().count()));
  note.exec();
}

jobs::AskedOfAccounts JobWrites::ReadAsked() {
  jobs::AskedOfAccounts asked;
  SQLite::Statement read(db_, "SELECT account, answered_at, asked_since FROM accounts");
  const auto time = [&read](int column) {
    return WallTime(std::chrono::microseconds(read.getColumn(column).getInt64()));
  };
  while (read.executeStep()) {
    asked[read.getColumn(0).getString()] = {.answered = time(1), .since = time(2)};
  }
  return asked;
}

std::vector<jobs::Unfinished> JobWrites::CountUnfinished() {
  std::vector<jobs::Unfinished> unfinished;
  SQLite::Statement count(
      db_, absl::StrCat("SELECT account, tenant, count(*), count(nullif(pictory_job_id, ''))"
                        " FROM jobs INDEXED BY jobs_unfinished"
                        " WHERE ",
                        IsUnfinishedSql(), " GROUP BY account, tenant"));
  while (count.executeStep()) {
    unfinished.push_back({.account = count.getColumn(0).getString(),
                          .tenant = count.getColumn(1).getString(),
                          .jobs = static_cast<std::size_t>(count.getColumn(2).getInt64()),
                          .pollable = static_cast<std::size_t>(count.getColumn(3).getInt64())});
  }
  return unfinished;
}

jobs::Recovered JobWrites::Recover(WallTime now) {
  EndInterrupted(now);
  jobs::Recovered recovered;
  recovered.hints = RecoverHints(db_);
  recovered.owed = Owed(now);
  recovered.epoch = BeginEpoch(db_);
  Owe(recovered.owed, recovered.epoch);
  recovered.asked = ReadAsked();
  recovered.unfinished = CountUnfinished();
  SQLite::Statement spent(db_,
                          absl::StrCat("SELECT tenant, sent_at, submission, state, credits_used,"
                                       " credits_reserved FROM jobs INDEXED BY jobs_spent WHERE ",
                                       IsSpentSql(), " AND sent_at BETWEEN ?1 AND ?2"));
  // A submit of a later time was sent by a clock that ran ahead, and would count anew at each start
  // until then.
  const WallTime started = jobs::StartTime(jobs::Latest(recovered.asked), now);
  const auto bind = [&spent](int index, WallTime at) {
    spent.bind(index, static_cast<std::int64_t>(at.time_since_epoch().count()));
  };
  bind(1, started - limits::kSpendingWindow);
  bind(2, started + limits::kClockSlack);
  JobRecord record;
  while (spent.executeStep()) {
    record.job.tenant = spent.getColumn(0).getString();
    record.sent_at = WallTime(std::chrono::microseconds(spent.getColumn(1).getInt64()));
    record.submission = static_cast<SubmissionState>(spent.getColumn(2).getInt());
    record.job.state = static_cast<jobs::JobState>(spent.getColumn(3).getInt());
    record.job.credits_used.reset();
    if (!spent.getColumn(4).isNull()) record.job.credits_used = spent.getColumn(4).getDouble();
    record.credits_reserved = spent.getColumn(5).getDouble();
    recovered.spent.push_back(jobs::SpentOf(record));
  }
  // All unfinished jobs were read, and this connection would keep their pages for as long as it is
  // open.
  db_.exec("PRAGMA shrink_memory");
  return recovered;
}

// Ends the attempts that a process left under way. There are few: no more than were under way at
// once.
void JobWrites::EndInterrupted(WallTime now) {
  SQLite::Statement find(
      db_, absl::StrCat("SELECT id, ", kRecordColumns,
                        " FROM jobs INDEXED BY jobs_in_flight WHERE ", IsInFlightSql()));
  std::vector<std::pair<std::int64_t, JobRecord>> ended;
  while (find.executeStep()) {
    std::optional<JobRecord> record = jobs::Interrupted(ReadRecord(find, 1), now);
    if (record.has_value()) ended.emplace_back(find.getColumn(0).getInt64(), *std::move(record));
  }
  for (const auto& [row, record] : ended) Replace(row, record, record.job.labels);
}

std::vector<jobs::OwedJob> JobWrites::Owed(WallTime now) {
  const auto select = [](const std::string& when) {
    return absl::StrCat(
        "SELECT tenant, fingerprint, request_id, job_id, claims, delivery, sent_at"
        " FROM jobs INDEXED BY jobs_unsettled WHERE ",
        IsStillOwedSql(), " AND ", when, " AND ", SubmissionIn(jobs::CanBeOwed),
        " AND (delivery <> ", Sql(jobs::Delivery::kUnsaid),
        " OR owner_epoch > (SELECT clean_epoch FROM store)) ORDER BY sent_at DESC LIMIT ?1");
  };
  const auto read = [](const SQLite::Statement& row) {
    return jobs::OwedJob{
        row.getColumn(0).getString(), row.getColumn(1).getString(),
        row.getColumn(2).getString(), row.getColumn(3).getString(),
        row.getColumn(4).getInt(),    static_cast<jobs::Delivery>(row.getColumn(5).getInt())};
  };
  SQLite::Statement find(db_, select("sent_at >= ?2"));
  const WallTime since = now - limits::kOwedAcrossRestart - limits::kClockSlack;
  find.bind(1, static_cast<std::int64_t>(limits::kOwedRecoveredMax));
  find.bind(2, static_cast<std::int64_t>(since.time_since_epoch().count()));
  std::vector<jobs::OwedJob> owed;
  WallTime newest;
  while (find.executeStep()) {
    // A job from the future, when the clock was wrong, must not make the others look old.
    const WallTime sent_at =
        std::min(now, WallTime(std::chrono::microseconds(find.getColumn(6).getInt64())));
    if (owed.empty()) newest = sent_at;
    if (newest - sent_at > limits::kOwedWindow) break;
    owed.push_back(read(find));
  }
  std::reverse(owed.begin(), owed.end());
  // What waits has not been sent yet, and may be soon.
  SQLite::Statement waiting(db_, select("sent_at = 0 AND " + SubmissionIn([](SubmissionState it) {
                                          return it == SubmissionState::kWaiting;
                                        })));
  waiting.bind(1, static_cast<std::int64_t>(limits::kOwedRecoveredMax));
  while (waiting.executeStep()) owed.push_back(read(waiting));
  return owed;
}

absl::StatusOr<JobWrites::Row> JobWrites::RowToChange(const JobRecord& record) {
  StatementUse find(find_);
  find->bindNoCopy(1, record.job.tenant);
  find->bindNoCopy(2, record.job.job_id);
  if (!find->executeStep()) return errors::JobNotFound(record.job.job_id);
  if (find->getColumn(1).getInt64() != record.version) return jobs::ChangedMeanwhile();
  return Row{.id = find->getColumn(0).getInt64(),
             .labels = DecodeLabels(find->getColumn(2).getString())};
}

void JobWrites::Insert(const JobRecord& record) {
  const std::string labels = EncodeGiven(record.job);
  StatementUse insert(insert_);
  BindRecord(*insert, record, labels, 1);
  insert->bind(kRecordColumnCount + 1, ++change_);
  insert->exec();
  InsertLabels(record.job);
}

void JobWrites::Replace(std::int64_t row, const JobRecord& record, const Labels& old_labels) {
  const std::string labels = EncodeGiven(record.job);
  StatementUse replace(replace_);
  BindRecord(*replace, record, labels, record.version + 1);
  replace->bind(kRecordColumnCount + 1, ++change_);
  replace->bind(kRecordColumnCount + 2, row);
  replace->exec();
  if (record.job.labels == old_labels) return;
  RemoveLabels(record.job.tenant, record.job.job_id, old_labels);
  InsertLabels(record.job);
}

void JobWrites::InsertLabels(const Job& job) {
  for (const auto& [key, value] : job.labels) {
    StatementUse insert(insert_label_);
    insert->bindNoCopy(1, job.tenant);
    insert->bindNoCopy(2, key);
    insert->bindNoCopy(3, value);
    insert->bindNoCopy(4, job.job_id);
    insert->exec();
  }
}

int JobWrites::RemoveParts(const std::string& tenant, const std::string& job_id) {
  StatementUse parts(remove_parts_);
  parts->bindNoCopy(1, tenant);
  parts->bindNoCopy(2, job_id);
  return parts->exec();
}

void JobWrites::RemoveLabels(const std::string& tenant, const std::string& job_id,
                             const Labels& labels) {
  for (const auto& [key, value] : labels) {
    StatementUse remove(remove_label_);
    remove->bindNoCopy(1, tenant);
    remove->bindNoCopy(2, key);
    remove->bindNoCopy(3, value);
    remove->bindNoCopy(4, job_id);
    remove->exec();
  }
}

void JobWrites::PutPart(const std::string& tenant, const std::string& job_id,
                        const pictory::JobResult::Part& part, std::size_t first, std::size_t last) {
  if (first == 0) {
    StatementUse remove(remove_part_);
    remove->bindNoCopy(1, tenant);
    remove->bindNoCopy(2, job_id);
    remove->bind(3, static_cast<int>(part.part));
    remove->exec();
  }
  const std::string_view bytes = part.bytes;
  for (std::size_t slice = first; slice < last; ++slice) {
    const std::string_view piece =
        bytes.substr(slice * limits::kPartSliceBytes, limits::kPartSliceBytes);
    StatementUse put(put_slice_);
    put->bindNoCopy(1, tenant);
    put->bindNoCopy(2, job_id);
    put->bind(3, static_cast<int>(part.part));
    put->bind(4, static_cast<std::int64_t>(slice));
    put->bind(5, static_cast<std::int64_t>(bytes.size()));
    // A null pointer would be stored as NULL instead of as no bytes.
    put->bindNoCopy(6, piece.empty() ? "" : piece.data(), static_cast<int>(piece.size()));
    put->exec();
  }
}

}  // namespace gateway::store
