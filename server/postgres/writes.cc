#include "postgres/writes.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fail_point.h"
#include "jobs/restart.h"
#include "postgres/record_columns.h"

namespace gateway::postgres {

using jobs::BeginResult;
using jobs::JobKey;
using jobs::JobRecord;
using jobs::SubmissionState;

namespace {

// How many slices of results one batch of Prune removes before it leaves the rest to the next: 16
// MiB.
constexpr int kPruneSlices = 64;

static_assert(jobs::v1::ResultPart_MAX < kPartAside && kPartAside == 16);
// So many numbers there are: `part` is an integer. When one comes again, its row is long gone.
constexpr std::int64_t kAsideNumbers = std::numeric_limits<std::int32_t>::max() / kPartAside;

JobKey KeyOf(const JobRecord& record) { return {record.job.tenant, record.job.job_id}; }

std::map<std::string, std::string> Decoded(const std::string& labels) {
  jobs::v1::Job message;
  if (!message.ParseFromString(labels)) return {};
  return {message.labels().begin(), message.labels().end()};
}

// Slices of parts, a column an array.
struct SliceRows {
  Array tenant{Type::kBytes}, job_id{Type::kBytes}, part{Type::kInt}, slice{Type::kInt},
      total{Type::kInt}, bytes{Type::kBytes};

  void Add(const JobRecord& record, const pictory::JobResult::Part& from, std::size_t first,
           std::size_t last, std::int64_t number = 0) {
    const std::string_view all = from.bytes;
    for (std::size_t at = first; at < last; ++at) {
      tenant.Bytes(record.job.tenant);
      job_id.Bytes(record.job.job_id);
      part.Int(number * kPartAside + from.part);
      slice.Int(static_cast<std::int64_t>(at));
      total.Int(static_cast<std::int64_t>(all.size()));
      bytes.Bytes(all.substr(at * limits::kPartSliceBytes, limits::kPartSliceBytes));
    }
  }
  void Insert(Connection& connection) const {
    if (slice.size() == 0) return;
    connection.Run(
        Statement("INSERT INTO pictory.parts (tenant, job_id, part, slice, total_bytes, bytes)"
                  " SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[],"
                  " $5::bigint[], $6::bytea[])")
            .Add(tenant)
            .Add(job_id)
            .Add(part)
            .Add(slice)
            .Add(total)
            .Add(bytes));
  }
};

}  // namespace

void Writes::Note(const JobRecord& record, std::int64_t version) {
  changed_.push_back({.job = KeyOf(record),
                      .shard = record.job.shard,
                      .version = version,
                      .gone = record.submission == SubmissionState::kDeleted});
}

void Writes::ApplyAll(const std::vector<Change*>& changes) {
  std::vector<Change*> begins, updates;
  for (Change* change : changes) {
    change->status = absl::OkStatus();
    (change->kind == Change::Kind::kBegin ? begins : updates).push_back(change);
  }
  // All gateways lock rows in this order, so that no two wait for each other.
  std::sort(begins.begin(), begins.end(), [](const Change* a, const Change* b) {
    return std::tie(a->record.job.tenant, a->record.job.request_id) <
           std::tie(b->record.job.tenant, b->record.job.request_id);
  });
  std::sort(updates.begin(), updates.end(),
            [](const Change* a, const Change* b) { return KeyOf(a->record) < KeyOf(b->record); });
  if (limits_of_) Limit(begins, updates);
  if (!updates.empty()) UpdateAll(std::move(updates));
  if (!begins.empty()) BeginAll(std::move(begins));
  tally_.Write(connection_, writer_);
}

void Writes::Limit(std::vector<Change*>& begins, std::vector<Change*>& updates) {
  std::vector<Change*> asking;
  std::vector<SpendingAsk> asks;
  for (const std::vector<Change*>* changes : {&updates, &begins}) {
    for (Change* change : *changes) {
      if (changes == &updates && !jobs::IsSentAfterWaiting(change->record)) continue;
      asking.push_back(change);
      asks.push_back({.record = &change->record, .status = absl::OkStatus()});
    }
  }
  if (asks.empty()) return;
  CheckSpending(connection_, limits_of_, asks);
  for (std::size_t at = 0; at < asks.size(); ++at) asking[at]->status = std::move(asks[at].status);
  const auto refused = [](const Change* change) { return !change->status.ok(); };
  std::erase_if(begins, refused);
  std::erase_if(updates, refused);
}

void Writes::Apply(Change& change) { ApplyAll({&change}); }

void Writes::BeginAll(std::vector<Change*> changes) {
  RecordArrays arrays;
  for (const Change* change : changes) arrays.Add(change->record, 1);
  // An attempt counts from now on.
  const std::string counts =
      absl::StrCat("CASE WHEN submission IN (", static_cast<int>(SubmissionState::kIntent), ", ",
                   static_cast<int>(SubmissionState::kSending), ") THEN ");
  const std::string credits = absl::StrCat(counts, kCountableCredits, " ELSE 0 END");
  Statement insert(absl::StrCat(
      "INSERT INTO pictory.jobs (", RecordArrays::Columns(), ", ", kCountedColumns, ") SELECT ",
      RecordArrays::Columns(), ", ", counts, kNowSql, " END, ", credits, ", ", credits, " FROM ",
      RecordArrays::Unnest(), " ON CONFLICT DO NOTHING RETURNING tenant, job_id, ", kCountedColumns,
      ", ", kNowSql));
  arrays.AddTo(insert);
  const Rows inserted = connection_.Run(insert);
  std::set<JobKey> begun;
  for (int row = 0; row < inserted.size(); ++row) {
    JobKey job{std::string(inserted.Bytes(row, 0)), std::string(inserted.Bytes(row, 1))};
    tally_.NoteBegun(job.tenant, ReadCounted(inserted, row, 2));
    begun.insert(std::move(job));
  }
  std::vector<const JobRecord*> with_labels;
  for (Change* change : changes) {
    // Two that ask for one job id: the first in the order of the statement has it.
    if (begun.erase(KeyOf(change->record)) == 0) {
      BeginKnown(*change);
      continue;
    }
    change->begun = {.begun = true, .record = change->record};
    change->begun.record.version = 1;
    Note(change->record, 1);
    with_labels.push_back(&change->record);
  }
  InsertLabels(with_labels);
  FailPoint("intent-uncommitted");
}

// One of the record's names is known already. Of two that begin it again one is second, and is told
// what the first has made of it.
void Writes::BeginKnown(Change& change) {
  do {
    change.status = TryBeginKnown(change);
  } while (absl::IsAborted(change.status));
}

absl::Status Writes::TryBeginKnown(Change& change) {
  const jobs::Job& job = change.record.job;
  const Rows found =
      connection_.Run(Statement(absl::StrCat("SELECT ", RecordColumns(),
                                             " FROM pictory.jobs WHERE tenant = $1 AND"
                                             " request_id = $2 AND request_id <> ''"))
                          .Bytes(job.tenant)
                          .Bytes(job.request_id));
  if (found.size() == 0) return absl::AlreadyExistsError("A job with this id is known already");
  JobRecord known = ReadRecord(found, 0);
  std::optional<JobRecord> again = jobs::BeginAgain(known, change.record);
  if (!again.has_value()) {
    change.begun = {.begun = false, .record = std::move(known)};
    return absl::OkStatus();
  }
  if (absl::Status updated = UpdateWithLabels(*again); !updated.ok()) return updated;
  ++again->version;
  change.begun = {.begun = true, .record = *std::move(again)};
  return absl::OkStatus();
}

std::set<std::size_t> Writes::ReplaceRows(const std::vector<const JobRecord*>& records,
                                          bool same_labels) {
  RecordArrays arrays;
  std::map<JobKey, std::size_t> places;
  for (const JobRecord* record : records) {
    places.emplace(KeyOf(*record), places.size());
    arrays.Add(*record, record->version + 1);
  }
  // Only one class knows whether the answer has arrived, and many write the record, so `delivery`
  // is never taken back here. A record that was never sent begins anew.
  Statement update(absl::StrCat(
      "UPDATE pictory.jobs AS j SET ", RecordArrays::Assignments(),
      ", delivery = CASE WHEN v.delivery = ", static_cast<int>(jobs::Delivery::kArrived),
      " OR j.submission = ", static_cast<int>(SubmissionState::kNotSent),
      " THEN v.delivery ELSE j.delivery END FROM ", RecordArrays::Unnest(),
      " WHERE j.tenant = v.tenant AND j.job_id = v.job_id AND j.version = v.version - 1",
      same_labels ? " AND j.labels = v.labels" : "", " RETURNING j.tenant, j.job_id, ",
      kCountedColumns, ", ", kNowSql));
  arrays.AddTo(update);
  const Rows updated = connection_.Run(update);
  std::set<std::size_t> replaced;
  for (int row = 0; row < updated.size(); ++row) {
    const std::size_t place =
        places.at({std::string(updated.Bytes(row, 0)), std::string(updated.Bytes(row, 1))});
    tally_.NoteReplaced(*records[place], ReadCounted(updated, row, 2));
    replaced.insert(place);
  }
  return replaced;
}

void Writes::UpdateAll(std::vector<Change*> changes) {
  std::vector<const JobRecord*> records;
  for (const Change* change : changes) records.push_back(&change->record);
  const std::set<std::size_t> replaced = ReplaceRows(records, /*same_labels=*/true);
  std::vector<Change*> done;
  for (std::size_t at = 0; at < changes.size(); ++at) {
    Change& change = *changes[at];
    if (replaced.contains(at)) {
      Note(change.record, change.record.version + 1);
    } else {
      change.status = UpdateWithLabels(change.record);
    }
    if (change.status.ok()) done.push_back(&change);
  }
  PutParts(done);
}

absl::StatusOr<std::string> Writes::LabelsToChange(const JobRecord& record) {
  const Rows found = connection_.Run(
      Statement("SELECT version, labels FROM pictory.jobs WHERE tenant = $1 AND job_id = $2")
          .Bytes(record.job.tenant)
          .Bytes(record.job.job_id));
  if (found.size() == 0) return errors::JobNotFound(record.job.job_id);
  if (found.Int(0, 0) != record.version) return jobs::ChangedMeanwhile();
  return std::string(found.Bytes(0, 1));
}

absl::Status Writes::UpdateWithLabels(const JobRecord& record) {
  const absl::StatusOr<std::string> labels = LabelsToChange(record);
  if (!labels.ok()) return labels.status();
  if (ReplaceRows({&record}, /*same_labels=*/false).empty()) return jobs::ChangedMeanwhile();
  Note(record, record.version + 1);
  RemoveLabels(KeyOf(record), *labels);
  InsertLabels({&record});
  return absl::OkStatus();
}

void Writes::Insert(const JobRecord& record) {
  RecordArrays arrays;
  arrays.Add(record, 1);
  Statement insert(absl::StrCat("INSERT INTO pictory.jobs (", RecordArrays::Columns(), ") SELECT ",
                                RecordArrays::Columns(), " FROM ", RecordArrays::Unnest()));
  arrays.AddTo(insert);
  connection_.Run(insert);
  InsertLabels({&record});
  Note(record, 1);
}

void Writes::Adopt(const JobRecord& record) { Insert(record); }

void Writes::InsertLabels(const std::vector<const JobRecord*>& records) {
  Array tenant(Type::kBytes), key(Type::kBytes), value(Type::kBytes), job_id(Type::kBytes);
  for (const JobRecord* record : records) {
    for (const auto& [label, is] : record->job.labels) {
      tenant.Bytes(record->job.tenant);
      key.Bytes(label);
      value.Bytes(is);
      job_id.Bytes(record->job.job_id);
    }
  }
  if (key.size() == 0) return;
  connection_.Run(Statement("INSERT INTO pictory.labels (tenant, key, value, job_id) SELECT * FROM"
                            " unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[])")
                      .Add(tenant)
                      .Add(key)
                      .Add(value)
                      .Add(job_id));
}

void Writes::RemoveLabels(const JobKey& job, const std::string& labels) {
  Array key(Type::kBytes), value(Type::kBytes);
  for (const auto& [label, is] : Decoded(labels)) {
    key.Bytes(label);
    value.Bytes(is);
  }
  if (key.size() == 0) return;
  connection_.Run(Statement("DELETE FROM pictory.labels AS l USING"
                            " unnest($3::bytea[], $4::bytea[]) AS v (key, value)"
                            " WHERE l.tenant = $1 AND l.key = v.key AND l.value = v.value"
                            " AND l.job_id = $2")
                      .Bytes(job.tenant)
                      .Bytes(job.id)
                      .Add(key)
                      .Add(value));
}

int Writes::RemoveParts(const JobKey& job) {
  return connection_
      .Run(Statement("DELETE FROM pictory.parts WHERE tenant = $1 AND job_id = $2")
               .Bytes(job.tenant)
               .Bytes(job.id))
      .changed();
}

void Writes::PutParts(const std::vector<Change*>& changes) {
  Array tenant(Type::kBytes), job_id(Type::kBytes), part(Type::kInt);
  SliceRows slices;
  for (const Change* change : changes) {
    if (change->aside > 0) TakeAside(KeyOf(change->record), change->aside);
    for (const auto& one : change->parts) {
      tenant.Bytes(change->record.job.tenant);
      job_id.Bytes(change->record.job.job_id);
      part.Int(one.part);
      slices.Add(change->record, one, 0, jobs::PartSlices(one.bytes.size()));
    }
  }
  if (part.size() == 0) return;
  connection_.Run(Statement("DELETE FROM pictory.parts AS p USING"
                            " unnest($1::bytea[], $2::bytea[], $3::bigint[])"
                            " AS v (tenant, job_id, part) WHERE p.tenant = v.tenant"
                            " AND p.job_id = v.job_id AND p.part = v.part")
                      .Add(tenant)
                      .Add(job_id)
                      .Add(part));
  slices.Insert(connection_);
}

absl::StatusOr<std::int64_t> Writes::StartAside(const JobRecord& record) {
  if (absl::Status row = LabelsToChange(record).status(); !row.ok()) return row;
  const std::int64_t count =
      connection_
          .Run("UPDATE pictory.store SET last_writer = last_writer + 1 RETURNING last_writer")
          .Int(0, 0);
  return count % (kAsideNumbers - 1) + 1;
}

absl::Status Writes::PutAside(const JobRecord& record, std::int64_t number,
                              const pictory::JobResult::Part& part, std::size_t first,
                              std::size_t last) {
  if (absl::Status row = LabelsToChange(record).status(); !row.ok()) return row;
  SliceRows slices;
  slices.Add(record, part, first, last, number);
  slices.Insert(connection_);
  return absl::OkStatus();
}

void Writes::DropAside(const JobKey& job, std::int64_t number) {
  connection_.Run(Statement("DELETE FROM pictory.parts WHERE tenant = $1 AND job_id = $2"
                            " AND part BETWEEN $3 AND $3 + 15")
                      .Bytes(job.tenant)
                      .Bytes(job.id)
                      .Int(number * kPartAside));
}

// What stands aside under other numbers is of attempts that have ended, or that find another
// version of the record from now on.
void Writes::TakeAside(const JobKey& job, std::int64_t number) {
  for (const char* sql :
       {"DELETE FROM pictory.parts WHERE tenant = $1 AND job_id = $2"
        " AND part NOT BETWEEN $3 AND $3 + 15 AND (part >= 16 OR part IN (SELECT part % 16"
        " FROM pictory.parts WHERE tenant = $1 AND job_id = $2 AND part BETWEEN $3 AND $3 + 15))",
        "UPDATE pictory.parts SET part = part % 16"
        " WHERE tenant = $1 AND job_id = $2 AND part BETWEEN $3 AND $3 + 15"}) {
    connection_.Run(Statement(sql).Bytes(job.tenant).Bytes(job.id).Int(number * kPartAside));
  }
}

absl::StatusOr<std::string> Writes::TakeOver(const JobRecord& record,
                                             std::int64_t adopted_version) {
  if (absl::Status row = LabelsToChange(record).status(); !row.ok()) return row;
  const jobs::Job& job = record.job;
  const Rows held = connection_.Run(
      Statement("SELECT job_id, labels, shard, version FROM pictory.jobs"
                " WHERE account = $1 AND pictory_job_id = $2 AND pictory_job_id <> ''"
                " AND tenant = $3 AND request_id = '' AND job_id <> $4")
          .Bytes(job.account)
          .Bytes(job.pictory_job_id)
          .Bytes(job.tenant)
          .Bytes(job.job_id));
  const bool found = held.size() > 0;
  if ((found ? held.Int(0, 3) : 0) != adopted_version) return jobs::ChangedMeanwhile();
  std::string adopted;
  if (found) {
    adopted = std::string(held.Bytes(0, 0));
    Rename(job.tenant, adopted, job.job_id);
    if (!RemoveRow({job.tenant, adopted}, adopted_version)) return jobs::ChangedMeanwhile();
    RemoveRest({job.tenant, adopted}, std::string(held.Bytes(0, 1)),
               static_cast<std::int32_t>(held.Int(0, 2)));
  }
  if (absl::Status updated = UpdateWithLabels(record); !updated.ok()) return updated;
  tally_.Write(connection_, writer_);
  return adopted;
}

// Makes the adopted job's id, and all names that led to it, other names of the job.
void Writes::Rename(const std::string& tenant, const std::string& adopted,
                    const std::string& job_id) {
  for (const char* sql :
       {"DELETE FROM pictory.parts WHERE tenant = $1 AND job_id = $3 AND part IN"
        " (SELECT part FROM pictory.parts WHERE tenant = $1 AND job_id = $2)",
        "UPDATE pictory.parts SET job_id = $3 WHERE tenant = $1 AND job_id = $2",
        "UPDATE pictory.aliases SET job_id = $3 WHERE tenant = $1 AND job_id = $2",
        "INSERT INTO pictory.aliases (tenant, alias, job_id) VALUES ($1, $2, $3)"}) {
    connection_.Run(Statement(sql).Bytes(tenant).Bytes(adopted).Bytes(job_id));
  }
}

bool Writes::RemoveRow(const JobKey& job, std::int64_t version) {
  return connection_
             .Run(Statement("DELETE FROM pictory.jobs"
                            " WHERE tenant = $1 AND job_id = $2 AND version = $3")
                      .Bytes(job.tenant)
                      .Bytes(job.id)
                      .Int(version))
             .changed() > 0;
}

int Writes::RemoveRest(const JobKey& job, const std::string& labels, std::int32_t shard,
                       std::vector<JobKey>* aliases_removed) {
  RemoveLabels(job, labels);
  const int slices = RemoveParts(job);
  const Rows aliases = connection_.Run(
      Statement("DELETE FROM pictory.aliases WHERE tenant = $1 AND job_id = $2 RETURNING alias")
          .Bytes(job.tenant)
          .Bytes(job.id));
  for (int row = 0; aliases_removed != nullptr && row < aliases.size(); ++row) {
    aliases_removed->push_back({job.tenant, std::string(aliases.Bytes(row, 0))});
  }
  changed_.push_back({.job = job, .shard = shard, .version = 0, .gone = true});
  return slices;
}

absl::Status Writes::Delete(const JobRecord& record) {
  if (absl::Status updated = UpdateWithLabels(record); !updated.ok()) return updated;
  RemoveParts(KeyOf(record));
  tally_.Write(connection_, writer_);
  return absl::OkStatus();
}

void Writes::KeepHints(const JobKey& job, const std::vector<std::string>& pictory_job_ids) {
  int kept = 0;
  for (const std::string& id : pictory_job_ids) {
    kept +=
        connection_
            .Run(Statement(absl::StrCat("INSERT INTO pictory.hints (tenant, job_id, place, kept_at,"
                                        " pictory_job_id) SELECT $1, $2, count(*), ",
                                        kNowSql,
                                        ", $3 FROM pictory.hints WHERE tenant = $1 AND job_id = $2"
                                        " HAVING count(*) < $4 ON CONFLICT DO NOTHING"))
                     .Bytes(job.tenant)
                     .Bytes(job.id)
                     .Bytes(id)
                     .Int(static_cast<std::int64_t>(limits::kHintsMax)))
            .changed();
  }
  if (kept > 0) Nudge(job);
}

void Writes::Nudge(const JobKey& job) {
  const Rows found = connection_.Run(
      Statement("SELECT shard, version FROM pictory.jobs WHERE tenant = $1 AND job_id = $2")
          .Bytes(job.tenant)
          .Bytes(job.id));
  if (found.size() == 0) return;
  changed_.push_back({.job = job,
                      .shard = static_cast<std::int32_t>(found.Int(0, 0)),
                      .version = found.Int(0, 1),
                      .hint = true});
}

bool Writes::Claim(const jobs::OwedAnswers::Claim& claim) {
  Array owed(Type::kInt);
  for (const SubmissionState state : jobs::kSubmissionStates) {
    if (jobs::CanBeOwed(state)) owed.Int(static_cast<std::int64_t>(state));
  }
  return connection_
             .Run(Statement("UPDATE pictory.jobs SET claims = claims + 1 WHERE tenant = $1"
                            " AND job_id = $2 AND claims = $3 AND delivery <> $4"
                            " AND submission = ANY($5::bigint[])")
                      .Bytes(claim.job.tenant)
                      .Bytes(claim.job.id)
                      .Int(claim.claims)
                      .Int(static_cast<std::int64_t>(jobs::Delivery::kArrived))
                      .Add(owed))
             .changed() > 0;
}

void Writes::EndEpoch(const std::vector<jobs::OwedJob>& owed, const std::string& gateway) {
  for (const jobs::OwedJob& job : owed) {
    connection_.Run(
        Statement("UPDATE pictory.jobs SET delivery = $1 WHERE tenant = $2 AND job_id = $3")
            .Int(static_cast<std::int64_t>(job.delivery))
            .Bytes(job.tenant)
            .Bytes(job.job_id));
  }
  EndOwing(gateway);
}

std::string Writes::ShareSecret(const std::string& name, const std::string& made) {
  connection_.Run(Statement("INSERT INTO pictory.secrets VALUES ($1, $2) ON CONFLICT DO NOTHING")
                      .Bytes(name)
                      .Bytes(made));
  const Rows kept =
      connection_.Run(Statement("SELECT value FROM pictory.secrets WHERE name = $1").Bytes(name));
  return std::string(kept.Bytes(0, 0));
}

void Writes::SetStopped(const Identity& identity, bool stopped) {
  if (!stopped) {
    connection_.Run(
        Statement("DELETE FROM pictory.stops WHERE gateway = $1").Bytes(identity.gateway));
    return;
  }
  connection_.Run(
      Statement(absl::StrCat("INSERT INTO pictory.stops VALUES ($1, $2, ", kNowSql,
                             ") ON CONFLICT (gateway) DO UPDATE SET address = excluded.address,"
                             " said_at = excluded.said_at"))
          .Bytes(identity.gateway)
          .Bytes(identity.address));
}

void Writes::NoteAsked(const std::string& account, const jobs::Asked& asked) {
  connection_.Run(
      Statement("INSERT INTO pictory.accounts VALUES ($1, $2, $3)"
                " ON CONFLICT (account) DO UPDATE SET"
                " answered_at = excluded.answered_at, asked_since = excluded.asked_since")
          .Bytes(account)
          .Time(asked.answered)
          .Time(asked.since));
}

std::vector<JobKey> Writes::Prune(const jobs::PruneQuery& query) {
  const int limit = std::max(query.limit, 0);
  const Rows old = connection_.Run(
      Statement("(SELECT tenant, job_id, labels, shard, 0 AS kind, forget_from, version"
                " FROM pictory.jobs"
                " WHERE visible AND forget_from IS NOT NULL AND forget_from < $1"
                " ORDER BY forget_from LIMIT $3)"
                " UNION ALL"
                " (SELECT tenant, job_id, labels, shard, 1 AS kind, forget_from, version"
                " FROM pictory.jobs"
                " WHERE NOT visible AND forget_from IS NOT NULL AND forget_from < $2"
                " ORDER BY forget_from LIMIT $3)"
                " ORDER BY kind, forget_from LIMIT $3")
          .Time(query.finished_before)
          .Time(query.untouched_since)
          .Int(limit));
  std::vector<JobKey> pruned;
  int slices = 0;
  for (int row = 0; row < old.size() && slices < kPruneSlices; ++row) {
    const JobKey key{std::string(old.Bytes(row, 0)), std::string(old.Bytes(row, 1))};
    // Somebody else may have changed it meanwhile, and begun it anew.
    if (!RemoveRow(key, old.Int(row, 6))) continue;
    pruned.push_back(key);
    slices += RemoveRest(key, std::string(old.Bytes(row, 2)),
                         static_cast<std::int32_t>(old.Int(row, 3)), &pruned);
  }
  ForgetWriters();
  return pruned;
}

void Writes::ForgetWriters() {
  ForgetSpending(connection_);
  connection_.Run(
      Statement(absl::StrCat("DELETE FROM pictory.gateways WHERE gone_at < ", kNowSql, " - $1"))
          .Int(std::chrono::microseconds(limits::kStoreWriterKept).count()));
  connection_.Run(Statement(absl::StrCat("DELETE FROM pictory.stops AS s WHERE said_at < ", kNowSql,
                                         " - $1 AND NOT EXISTS (SELECT 1 FROM pictory.gateways AS g"
                                         " WHERE g.gateway = s.gateway)"))
                      .Int(std::chrono::microseconds(limits::kStoreWriterKept).count()));
  const Rows gone = connection_.Run(
      Statement("DELETE FROM pictory.writers WHERE ended_at IS NOT NULL AND ended_at <"
                " extract(epoch FROM clock_timestamp()) * 1000000 - $1 RETURNING writer")
          .Int(std::chrono::microseconds(limits::kStoreWriterKept).count()));
  for (int row = 0; row < gone.size(); ++row) {
    connection_.Run(Statement("DELETE FROM pictory.feed WHERE writer = $1").Int(gone.Int(row, 0)));
  }
}

}  // namespace gateway::postgres
