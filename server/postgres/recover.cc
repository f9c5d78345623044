// What a store tells of the process before (jobs::Store::Recover).
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "jobs/restart.h"
#include "postgres/left.h"
#include "postgres/reads.h"
#include "postgres/record_columns.h"
#include "postgres/writes.h"

namespace gateway::postgres {
namespace {

using jobs::JobKey;
using jobs::JobRecord;
using jobs::SubmissionState;

template <class State>
std::string In(const char* column, bool (*wanted)(State), const auto& states) {
  std::string numbers;
  for (const State state : states) {
    if (!wanted(state)) continue;
    absl::StrAppend(&numbers, numbers.empty() ? "" : ", ", static_cast<int>(state));
  }
  return absl::StrCat(column, " IN (", numbers, ")");
}

std::string SubmissionIs(bool (*wanted)(SubmissionState)) {
  return In("submission", wanted, jobs::kSubmissionStates);
}

bool IsWaiting(SubmissionState state) { return state == SubmissionState::kWaiting; }
bool IsUnknown(SubmissionState state) { return state == SubmissionState::kUnknown; }
bool MayBecomeUnknown(SubmissionState state) { return IsUnknown(state) || jobs::IsInFlight(state); }

// `columns` of the jobs that are left and `where` says, whose parameters are the third and so on.
// All in one statement, so that the epochs that there are and the jobs are of one moment: a process
// has its epoch before it has jobs.
Statement SelectLeft(const std::string& columns, const Left& left, const std::string& where) {
  Array shards(Type::kInt);
  for (const std::int32_t shard : left.shards.value_or(std::vector<std::int32_t>())) {
    shards.Int(shard);
  }
  Statement select(absl::StrCat(
      "SELECT ", columns,
      " FROM pictory.jobs WHERE owner_epoch NOT IN (SELECT jobs_epoch FROM pictory.gateways WHERE"
      " gone_at IS NULL AND gateway <> $1)",
      left.shards.has_value() ? " AND shard = ANY($2::bigint[])" : "", " AND ", where));
  select.Bytes(left.gateway).Add(shards);
  return select;
}

constexpr char kOwedColumns[] =
    "tenant, fingerprint, request_id, job_id, claims, delivery, owner_epoch, sent_at";
constexpr int kOwedSentAt = 7;

OwedOnce ReadOwed(const Rows& rows, int row) {
  return {.job = {std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1)),
                  std::string(rows.Bytes(row, 2)), std::string(rows.Bytes(row, 3)),
                  static_cast<std::int32_t>(rows.Int(row, 4)),
                  static_cast<jobs::Delivery>(rows.Int(row, 5))},
          .epoch = rows.Int(row, 6)};
}

}  // namespace

std::string OwedStill() {
  return absl::StrCat(
      "minted_request_id AND delivery <> ", static_cast<int>(jobs::Delivery::kArrived), " AND ",
      SubmissionIs(jobs::CanBeOwed), " AND (submission <> ",
      static_cast<int>(SubmissionState::kAccepted), " OR sent_at <> 0) AND (delivery <> ",
      static_cast<int>(jobs::Delivery::kUnsaid),
      " OR (owner_epoch > (SELECT clean_epoch FROM pictory.store)"
      " AND owner_epoch NOT IN (SELECT epoch FROM pictory.clean_epochs)))");
}

jobs::Recovered Writes::Recover(WallTime now, const std::string& gateway, const LeftJobs& found) {
  const Left left{.gateway = gateway, .shards = std::nullopt};
  EndUnderWay(now, found);
  jobs::Recovered recovered;
  recovered.hints = RecoverHints();
  const std::vector<OwedOnce> owed = Owed(now, left, found);
  recovered.epoch =
      connection_.Run("UPDATE pictory.store SET epoch = epoch + 1 RETURNING epoch").Int(0, 0);
  EndOwing(gateway);  // what it owed is in `owed`
  connection_.Run(Statement("UPDATE pictory.gateways SET jobs_epoch = $2 WHERE gateway = $1")
                      .Bytes(gateway)
                      .Int(recovered.epoch));
  GiveUpShards(connection_, gateway);
  recovered.owed = Owe(owed, recovered.epoch, jobs::Delivery::kUnsaid);
  return recovered;
}

std::vector<jobs::OwedJob> Writes::TakeLeft(WallTime now, const std::string& gateway,
                                            const Left& left, const LeftJobs& found) {
  EndUnderWay(now, found);
  const Rows own = connection_.Run(
      Statement("SELECT jobs_epoch FROM pictory.gateways WHERE gateway = $1").Bytes(gateway));
  if (own.size() == 0) return {};
  return Owe(Owed(now, left, found), own.Int(0, 0), jobs::Delivery::kLost);
}

void Writes::EndOwing(const std::string& gateway) {
  connection_.Run(Statement("INSERT INTO pictory.clean_epochs SELECT jobs_epoch FROM"
                            " pictory.gateways WHERE gateway = $1 ON CONFLICT DO NOTHING")
                      .Bytes(gateway));
}

LeftJobs Reads::FindLeft(const Left& left) {
  const MorePatience patience(connection_, limits::kStoreRecoverMax);
  LeftJobs found;
  const Rows under_way = connection_.Run(SelectLeft(
      RecordColumns(), left,
      absl::StrCat("unended AND ", SubmissionIs(jobs::IsInFlight), " ORDER BY tenant, job_id")));
  for (int row = 0; row < under_way.size(); ++row) {
    found.under_way.push_back(ReadRecord(under_way, row));
  }
  const Rows waiting = connection_.Run(
      SelectLeft(kOwedColumns, left,
                 absl::StrCat(OwedStill(), " AND unended AND ", SubmissionIs(IsWaiting),
                              " ORDER BY tenant, job_id LIMIT $3"))
          .Int(static_cast<std::int64_t>(limits::kOwedRecoveredMax)));
  for (int row = 0; row < waiting.size(); ++row) {
    found.waiting.push_back(ReadOwed(waiting, row));
  }
  return found;
}

void Writes::EndUnderWay(WallTime now, const LeftJobs& found) {
  for (const JobRecord& one : found.under_way) {
    std::optional<JobRecord> record = jobs::Interrupted(one, now);
    // Somebody else may have been first.
    if (record.has_value()) UpdateWithLabels(*record).IgnoreError();
  }
  tally_.Write(connection_, writer_);
}

std::vector<jobs::Hint> Writes::RecoverHints() {
  const std::string of_job =
      "SELECT 1 FROM pictory.jobs AS j WHERE j.tenant = h.tenant AND j.job_id = h.job_id AND ";
  // Another gateway's attempt may yet become unknown.
  connection_.Run(Statement(absl::StrCat("DELETE FROM pictory.hints AS h WHERE NOT EXISTS (",
                                         of_job, SubmissionIs(MayBecomeUnknown), ")")));
  const Rows rows = connection_.Run(Statement(
      absl::StrCat("SELECT tenant, job_id, pictory_job_id FROM pictory.hints AS h WHERE EXISTS (",
                   of_job, SubmissionIs(IsUnknown), ") ORDER BY kept_at, place")));
  std::vector<jobs::Hint> hints;
  for (int row = 0; row < rows.size(); ++row) {
    hints.push_back({{std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1))},
                     std::string(rows.Bytes(row, 2))});
  }
  return hints;
}

std::vector<OwedOnce> Writes::Owed(WallTime now, const Left& left, const LeftJobs& found) {
  // What has ended is found by when it was sent; attempts under way have ended by now.
  const Rows sent =
      connection_.Run(SelectLeft(kOwedColumns, left,
                                 absl::StrCat(OwedStill(),
                                              " AND spent_at IS NOT NULL AND spent_at >= $3"
                                              " ORDER BY spent_at DESC LIMIT $4"))
                          .Time(now - limits::kOwedAcrossRestart - limits::kClockSlack)
                          .Int(static_cast<std::int64_t>(limits::kOwedRecoveredMax)));
  std::vector<OwedOnce> owed;
  WallTime newest;
  for (int row = 0; row < sent.size(); ++row) {
    // A job from the future, when the clock was wrong, must not make the others look old.
    const WallTime sent_at = std::min(now, sent.Time(row, kOwedSentAt));
    if (owed.empty()) newest = sent_at;
    if (newest - sent_at > limits::kOwedWindow) break;
    owed.push_back(ReadOwed(sent, row));
  }
  std::reverse(owed.begin(), owed.end());
  owed.insert(owed.end(), found.waiting.begin(), found.waiting.end());
  return owed;
}

// The process says from now on what became of their answers. Those that it hears of only later
// count as lost until then, and if it ends before.
std::vector<jobs::OwedJob> Writes::Owe(const std::vector<OwedOnce>& owed, std::int64_t epoch,
                                       jobs::Delivery as) {
  std::vector<jobs::OwedJob> taken;
  if (owed.empty()) return taken;
  std::map<JobKey, std::int64_t> epochs;  // in the order in which rows are locked
  for (const OwedOnce& one : owed) epochs[{one.job.tenant, one.job.job_id}] = one.epoch;
  Array tenant(Type::kBytes), job_id(Type::kBytes), of(Type::kInt);
  for (const auto& [job, its] : epochs) {
    tenant.Bytes(job.tenant);
    job_id.Bytes(job.id);
    of.Int(its);
  }
  const Rows rows = connection_.Run(
      Statement(absl::StrCat("UPDATE pictory.jobs AS j SET delivery = ", static_cast<int>(as),
                             ", owner_epoch = $4, version = version + 1"
                             " FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])"
                             " AS v (tenant, job_id, epoch) WHERE j.tenant = v.tenant"
                             " AND j.job_id = v.job_id AND j.owner_epoch = v.epoch"
                             " RETURNING j.tenant, j.job_id, j.shard, j.version"))
          .Add(tenant)
          .Add(job_id)
          .Add(of)
          .Int(epoch));
  std::set<JobKey> own;
  for (int row = 0; row < rows.size(); ++row) {
    JobKey job{std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1))};
    changed_.push_back({.job = job,
                        .shard = static_cast<std::int32_t>(rows.Int(row, 2)),
                        .version = rows.Int(row, 3)});
    own.insert(std::move(job));
  }
  for (const OwedOnce& one : owed) {
    if (own.contains({one.job.tenant, one.job.job_id})) taken.push_back(one.job);
  }
  return taken;
}

void Reads::CountAll(jobs::Recovered& recovered) {
  recovered.asked = ReadAsked();
  recovered.unfinished = CountUnfinished();
}

jobs::AskedOfAccounts Reads::ReadAsked() {
  const Rows rows =
      connection_.Run("SELECT account, answered_at, asked_since FROM pictory.accounts");
  jobs::AskedOfAccounts asked;
  for (int row = 0; row < rows.size(); ++row) {
    asked[std::string(rows.Bytes(row, 0))] = {.answered = rows.Time(row, 1),
                                              .since = rows.Time(row, 2)};
  }
  return asked;
}

std::vector<jobs::Unfinished> Reads::CountUnfinished() {
  const Rows rows = connection_.Run(
      "SELECT account, tenant, count(*), count(*) FILTER (WHERE pictory_job_id <> '')"
      " FROM pictory.jobs WHERE unended AND visible GROUP BY account, tenant ORDER BY account, "
      "tenant");
  std::vector<jobs::Unfinished> unfinished;
  for (int row = 0; row < rows.size(); ++row) {
    unfinished.push_back({.account = std::string(rows.Bytes(row, 0)),
                          .tenant = std::string(rows.Bytes(row, 1)),
                          .jobs = static_cast<std::size_t>(rows.Int(row, 2)),
                          .pollable = static_cast<std::size_t>(rows.Int(row, 3))});
  }
  return unfinished;
}

}  // namespace gateway::postgres
