// What a store tells of the process before (jobs::Store::Recover).
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "jobs/restart.h"
#include "jobs/spending.h"
#include "postgres/record_columns.h"
#include "postgres/writes.h"

namespace gateway::postgres {
namespace {

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

// More patience with a connection, for as long as this is there.
class MorePatience {
 public:
  MorePatience(Connection& connection, Duration patience)
      : connection_(connection), before_(connection.patience()) {
    connection_.set_patience(patience);
  }
  ~MorePatience() { connection_.set_patience(before_); }
  MorePatience(const MorePatience&) = delete;
  MorePatience& operator=(const MorePatience&) = delete;

 private:
  Connection& connection_;
  const Duration before_;
};

bool IsWaiting(SubmissionState state) { return state == SubmissionState::kWaiting; }

}  // namespace

jobs::Recovered Writes::Recover(WallTime now, const std::string& gateway) {
  const MorePatience patience(connection_, limits::kStoreRecoverMax);
  EndInterrupted(now);
  jobs::Recovered recovered;
  recovered.hints = RecoverHints();
  recovered.owed = Owed(now);
  recovered.epoch =
      connection_.Run("UPDATE pictory.store SET epoch = epoch + 1 RETURNING epoch").Int(0, 0);
  connection_.Run(Statement("UPDATE pictory.gateways SET jobs_epoch = $2 WHERE gateway = $1")
                      .Bytes(gateway)
                      .Int(recovered.epoch));
  Owe(recovered.owed, recovered.epoch);
  recovered.asked = ReadAsked();
  recovered.unfinished = CountUnfinished();
  recovered.spent = ReadSpent(jobs::StartTime(jobs::Latest(recovered.asked), now));
  return recovered;
}

// Ends the attempts that a process left under way. There are few: no more than were under way at
// once.
void Writes::EndInterrupted(WallTime now) {
  const Rows found = connection_.Run(Statement(
      absl::StrCat("SELECT ", RecordColumns(), " FROM pictory.jobs WHERE unended AND ",
                   SubmissionIs(jobs::IsInFlight), " ORDER BY tenant, job_id FOR UPDATE")));
  for (int row = 0; row < found.size(); ++row) {
    std::optional<JobRecord> record = jobs::Interrupted(ReadRecord(found, row), now);
    if (record.has_value()) UpdateWithLabels(*record).IgnoreError();  // its row is locked
  }
}

std::vector<jobs::Hint> Writes::RecoverHints() {
  connection_.Run(
      Statement("DELETE FROM pictory.hints AS h WHERE NOT EXISTS (SELECT 1 FROM pictory.jobs AS j"
                " WHERE j.tenant = h.tenant AND j.job_id = h.job_id AND j.submission = $1)")
          .Int(static_cast<std::int64_t>(SubmissionState::kUnknown)));
  const Rows rows = connection_.Run(
      "SELECT tenant, job_id, pictory_job_id FROM pictory.hints ORDER BY kept_at, place");
  std::vector<jobs::Hint> hints;
  for (int row = 0; row < rows.size(); ++row) {
    hints.push_back({{std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1))},
                     std::string(rows.Bytes(row, 2))});
  }
  return hints;
}

std::vector<jobs::OwedJob> Writes::Owed(WallTime now) {
  // What has ended is found by when it was sent; attempts under way have ended by now.
  const std::string columns =
      "SELECT tenant, fingerprint, request_id, job_id, claims, delivery, sent_at"
      " FROM pictory.jobs WHERE minted_request_id";
  const std::string owed_still =
      absl::StrCat(" AND delivery <> ", static_cast<int>(jobs::Delivery::kArrived), " AND ",
                   SubmissionIs(jobs::CanBeOwed), " AND (delivery <> ",
                   static_cast<int>(jobs::Delivery::kUnsaid),
                   " OR owner_epoch > (SELECT clean_epoch FROM pictory.store))");
  const auto read = [](const Rows& rows, int row) {
    return jobs::OwedJob{std::string(rows.Bytes(row, 0)),
                         std::string(rows.Bytes(row, 1)),
                         std::string(rows.Bytes(row, 2)),
                         std::string(rows.Bytes(row, 3)),
                         static_cast<std::int32_t>(rows.Int(row, 4)),
                         static_cast<jobs::Delivery>(rows.Int(row, 5))};
  };
  const auto max = static_cast<std::int64_t>(limits::kOwedRecoveredMax);
  const Rows sent = connection_.Run(
      Statement(absl::StrCat(columns, " AND spent_at IS NOT NULL AND spent_at >= $1", owed_still,
                             " ORDER BY spent_at DESC LIMIT $2"))
          .Time(now - limits::kOwedAcrossRestart - limits::kClockSlack)
          .Int(max));
  std::vector<jobs::OwedJob> owed;
  WallTime newest;
  for (int row = 0; row < sent.size(); ++row) {
    // A job from the future, when the clock was wrong, must not make the others look old.
    const WallTime sent_at = std::min(now, sent.Time(row, 6));
    if (owed.empty()) newest = sent_at;
    if (newest - sent_at > limits::kOwedWindow) break;
    owed.push_back(read(sent, row));
  }
  std::reverse(owed.begin(), owed.end());
  // What waits has not been sent yet, and may be soon.
  const Rows waiting =
      connection_.Run(Statement(absl::StrCat(columns, " AND unended AND ", SubmissionIs(IsWaiting),
                                             owed_still, " ORDER BY tenant, job_id LIMIT $1"))
                          .Int(max));
  for (int row = 0; row < waiting.size(); ++row) owed.push_back(read(waiting, row));
  return owed;
}

// Makes the owed jobs this process's own: it says from now on what became of their answers.
void Writes::Owe(const std::vector<jobs::OwedJob>& owed, std::int64_t epoch) {
  if (owed.empty()) return;
  Array tenant(Type::kBytes), job_id(Type::kBytes);
  for (const jobs::OwedJob& job : owed) {
    tenant.Bytes(job.tenant);
    job_id.Bytes(job.job_id);
  }
  connection_.Run(Statement(absl::StrCat("UPDATE pictory.jobs AS j SET delivery = ",
                                         static_cast<int>(jobs::Delivery::kUnsaid),
                                         ", owner_epoch = $3 FROM unnest($1::bytea[], $2::bytea[])"
                                         " AS v (tenant, job_id)"
                                         " WHERE j.tenant = v.tenant AND j.job_id = v.job_id"))
                      .Add(tenant)
                      .Add(job_id)
                      .Int(epoch));
}

jobs::AskedOfAccounts Writes::ReadAsked() {
  const Rows rows =
      connection_.Run("SELECT account, answered_at, asked_since FROM pictory.accounts");
  jobs::AskedOfAccounts asked;
  for (int row = 0; row < rows.size(); ++row) {
    asked[std::string(rows.Bytes(row, 0))] = {.answered = rows.Time(row, 1),
                                              .since = rows.Time(row, 2)};
  }
  return asked;
}

std::vector<jobs::Unfinished> Writes::CountUnfinished() {
  // Nothing is under way any more, so what has not ended is visible.
  const Rows rows = connection_.Run(
      "SELECT account, tenant, count(*), count(*) FILTER (WHERE pictory_job_id <> '')"
      " FROM pictory.jobs WHERE unended GROUP BY account, tenant ORDER BY account, tenant");
  std::vector<jobs::Unfinished> unfinished;
  for (int row = 0; row < rows.size(); ++row) {
    unfinished.push_back({.account = std::string(rows.Bytes(row, 0)),
                          .tenant = std::string(rows.Bytes(row, 1)),
                          .jobs = static_cast<std::size_t>(rows.Int(row, 2)),
                          .pollable = static_cast<std::size_t>(rows.Int(row, 3))});
  }
  return unfinished;
}

std::vector<jobs::Spent> Writes::ReadSpent(WallTime started) {
  // A submit of a later time was sent by a clock that ran ahead, and would count anew at each start
  // until then.
  const Rows rows = connection_.Run(
      Statement("SELECT tenant, spent_at, state, credits_used, credits_reserved FROM pictory.jobs"
                " WHERE spent_at IS NOT NULL AND spent_at BETWEEN $1 AND $2")
          .Time(started - limits::kSpendingWindow)
          .Time(started + limits::kClockSlack));
  std::vector<jobs::Spent> spent;
  for (int row = 0; row < rows.size(); ++row) {
    const auto state = static_cast<jobs::JobState>(rows.Int(row, 2));
    std::optional<double> used;
    if (!rows.IsNull(row, 3)) used = rows.Real(row, 3);
    const double reserved = rows.Real(row, 4);
    spent.push_back({.tenant = std::string(rows.Bytes(row, 0)),
                     .sent_at = rows.Time(row, 1),
                     .credits = jobs::CreditsOf(state, used, reserved),
                     .reserved = jobs::StillReserved(state, used, reserved)});
  }
  return spent;
}

}  // namespace gateway::postgres
