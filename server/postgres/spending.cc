#include "postgres/spending.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "postgres/lease.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using jobs::SpendingCheck;
using jobs::SubmissionState;
using jobs::SubmitLimits;

constexpr std::int64_t Seconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

// The steps of a window that ends now, in SQL.
std::string StepsOf(const jobs::SpendingWindow& window) {
  const Duration reach = window.length + window.step;
  return absl::StrCat("span = ", Seconds(window.step), " AND begins > ", kNowSql, " - ",
                      std::chrono::duration_cast<std::chrono::microseconds>(reach).count());
}

std::string Waiting() {
  return absl::StrCat("waiting_request <> '' AND submission = ",
                      static_cast<int>(SubmissionState::kWaiting));
}

// Submits, credits, and what is reserved of them.
constexpr char kSpentSums[] =
    "coalesce(sum(submits), 0)::bigint, coalesce(sum(credits), 0), coalesce(sum(reserved), 0)";
const std::string& WaitingSums() {
  static const std::string credits = absl::StrCat("coalesce(sum(", kCountableCredits, "), 0)");
  static const std::string sums = absl::StrCat("count(*), ", credits, ", ", credits);
  return sums;
}

void AddSpent(const Rows& rows, int row, int first, jobs::SpentTotal& to) {
  to.submits += rows.Int(row, first);
  to.credits += rows.Real(row, first + 1);
  to.reserved += rows.Real(row, first + 2);
}

Array Texts(const std::set<std::string>& texts) {
  Array array(Type::kBytes);
  for (const std::string& text : texts) array.Bytes(text);
  return array;
}

// All gateways lock these in the same order, and before any other row.
void LockSpenders(Connection& connection, const std::set<std::string>& spenders) {
  const Array names = Texts(spenders);
  const auto lock = [&] {
    return connection
        .Run(Statement("SELECT tenant FROM pictory.spenders WHERE tenant = ANY($1::bytea[])"
                       " ORDER BY tenant FOR UPDATE")
                 .Add(names))
        .size();
  };
  if (lock() == static_cast<int>(spenders.size())) return;
  connection.Run(Statement("INSERT INTO pictory.spenders SELECT * FROM unnest($1::bytea[])"
                           " ON CONFLICT DO NOTHING")
                     .Add(names));
  lock();
}

// The sums of these tenants, and the time.
SpendingCheck ReadSums(Connection& connection, const std::set<std::string>& spenders) {
  const auto steps = [](const std::string& which) {
    return absl::StrCat(
        " UNION ALL SELECT tenant, span::bigint, begins, sum(submits)::bigint, sum(credits)"
        " FROM pictory.spending WHERE tenant = ANY($1::bytea[]) AND ",
        which, " GROUP BY tenant, span, begins");
  };
  const Rows rows = connection.Run(
      Statement(absl::StrCat("SELECT ''::bytea, 0::bigint, ", kNowSql, ", 0::bigint, 0::float8",
                             steps(StepsOf(jobs::kLongWindow)), steps(StepsOf(jobs::kShortWindow))))
          .Add(Texts(spenders)));
  int now = 0;
  while (rows.Int(now, 1) != 0) ++now;
  SpendingCheck check(rows.Time(now, 2));
  for (int row = 0; row < rows.size(); ++row) {
    if (row == now) continue;
    jobs::SpentSums& sums = check.Of(std::string(rows.Bytes(row, 0)));
    auto& step =
        (rows.Int(row, 1) == Seconds(jobs::kLongWindow.step) ? sums.day
                                                             : sums.minute)[rows.Time(row, 2)];
    step = {.submits = rows.Int(row, 3), .credits = rows.Real(row, 4)};
  }
  return check;
}

// Those that wait, without those that are about to be sent.
void ReadWaiting(Connection& connection, const std::vector<SpendingAsk>& asks,
                 SpendingCheck& check) {
  Array tenant(Type::kBytes), job_id(Type::kBytes);
  for (const SpendingAsk& ask : asks) {
    if (!jobs::IsSentAfterWaiting(*ask.record)) continue;
    tenant.Bytes(ask.record->job.tenant);
    job_id.Bytes(ask.record->job.job_id);
  }
  const Rows rows = connection.Run(
      Statement(absl::StrCat("SELECT tenant, ", WaitingSums(), " FROM pictory.jobs WHERE ",
                             Waiting(),
                             " AND (tenant, job_id) NOT IN"
                             " (SELECT * FROM unnest($1::bytea[], $2::bytea[])) GROUP BY tenant"))
          .Add(tenant)
          .Add(job_id));
  jobs::SpentSums& all = check.Of("");
  for (int row = 0; row < rows.size(); ++row) {
    jobs::SpentSums& own = check.Of(std::string(rows.Bytes(row, 0)));
    own.waiting = rows.Int(row, 1);
    own.waiting_credits = rows.Real(row, 2);
    all.waiting += own.waiting;
    all.waiting_credits += own.waiting_credits;
  }
}

// The asks whose request_id is known, and was sent or is about to be.
std::set<std::size_t> FindKnown(Connection& connection, const std::vector<SpendingAsk>& asks) {
  Array tenant(Type::kBytes), request_id(Type::kBytes);
  std::map<jobs::JobKey, std::size_t> places;
  for (std::size_t at = 0; at < asks.size(); ++at) {
    const jobs::Job& job = asks[at].record->job;
    if (jobs::IsSentAfterWaiting(*asks[at].record)) continue;
    tenant.Bytes(job.tenant);
    request_id.Bytes(job.request_id);
    places[{job.tenant, job.request_id}] = at;
  }
  const Rows rows =
      connection.Run(Statement("SELECT j.tenant, j.request_id FROM pictory.jobs AS j,"
                               " unnest($1::bytea[], $2::bytea[]) AS v (tenant, request_id)"
                               " WHERE j.tenant = v.tenant AND j.request_id = v.request_id"
                               " AND j.request_id <> '' AND j.submission <> $3")
                         .Add(tenant)
                         .Add(request_id)
                         .Int(static_cast<std::int64_t>(SubmissionState::kNotSent)));
  std::set<std::size_t> known;
  for (int row = 0; row < rows.size(); ++row) {
    known.insert(places.at({std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1))}));
  }
  return known;
}

}  // namespace

void CheckSpending(Connection& connection, const jobs::SubmitLimitsOf& limits_of,
                   std::vector<SpendingAsk>& asks) {
  std::map<std::string, SubmitLimits> limits;
  std::set<std::string> spenders;
  bool waiting_counts = false;
  for (const SpendingAsk& ask : asks) {
    const std::string& tenant = ask.record->job.tenant;
    if (limits.contains(tenant)) continue;
    const SubmitLimits& own = limits.emplace(tenant, limits_of(tenant)).first->second;
    if (own.of_all()) spenders.insert("");
    if (own.of_tenant()) spenders.insert(tenant);
    waiting_counts |=
        own.all_per_day > 0 || own.tenant.submits_per_day > 0 || own.tenant.credits_per_day > 0;
  }
  if (spenders.empty()) return;
  LockSpenders(connection, spenders);
  SpendingCheck check = ReadSums(connection, spenders);
  if (waiting_counts) ReadWaiting(connection, asks, check);
  for (const auto& [tenant, own] : limits) {
    const int most = own.tenant.active_jobs;
    if (most > 0) check.Of(tenant).active = CountActive(connection, tenant, most);
  }
  const auto decide = [&](const std::set<std::size_t>& known) {
    SpendingCheck one = check;
    bool all = true;
    for (std::size_t at = 0; at < asks.size(); ++at) {
      const JobRecord& record = *asks[at].record;
      asks[at].status =
          known.contains(at) ? absl::OkStatus() : one.Take(record, limits.at(record.job.tenant));
      all &= asks[at].status.ok();
    }
    return all;
  };
  if (decide({})) return;
  if (const std::set<std::size_t> known = FindKnown(connection, asks); !known.empty()) {
    decide(known);
  }
}

SpendingTally::Was ReadCounted(const Rows& rows, int row, int first) {
  SpendingTally::Was was{.at = std::nullopt,
                         .credits = rows.Real(row, first + 1),
                         .reserved = rows.Real(row, first + 2),
                         .now = rows.Time(row, first + 3)};
  if (!rows.IsNull(row, first)) was.at = rows.Time(row, first);
  return was;
}

void SpendingTally::NoteBegun(const std::string& tenant, const Was& was) {
  if (!was.at.has_value()) return;
  Add(tenant, *was.at, was.now, {.submits = 1, .credits = was.credits, .reserved = was.reserved});
}

void SpendingTally::NoteReplaced(const JobRecord& record, const Was& was) {
  const jobs::CountedSpending wanted = jobs::CountedOf(record);
  const WallTime oldest = jobs::kLongWindow.FirstStep(was.now);
  const bool counted = was.at.has_value() && *was.at >= oldest;
  std::optional<WallTime> at;
  if (wanted.spent) {
    // One that is begun again may have been counted so long ago that it is in no window any more,
    // and counts from now. Of one that was begun by an older program its record says when that was.
    const bool begins = jobs::IsInFlight(record.submission);
    const bool keeps = was.at.has_value() && (counted || !begins);
    at = keeps ? *was.at : begins ? was.now : std::min(was.now, record.sent_at);
  }
  const bool counts = at.has_value() && *at >= oldest;
  if (!counts && !counted) return;  // it is in no window any more
  const jobs::CountedSpending is{
      .spent = was.at.has_value(), .credits = was.credits, .reserved = was.reserved};
  if (at == was.at && wanted == is) return;
  const std::string& tenant = record.job.tenant;
  if (counted) {
    Add(tenant, *was.at, was.now,
        {.submits = -1, .credits = -was.credits, .reserved = -was.reserved});
  }
  if (counts) {
    Add(tenant, *at, was.now,
        {.submits = 1, .credits = wanted.credits, .reserved = wanted.reserved});
  }
  rows_.push_back({.job = {tenant, record.job.job_id}, .at = at, .counted = wanted});
}

void SpendingTally::Add(const std::string& tenant, WallTime at, WallTime now, const Sum& sum) {
  for (const jobs::SpendingWindow& window : {jobs::kLongWindow, jobs::kShortWindow}) {
    if (at < window.FirstStep(now)) continue;
    for (const std::string& whose : {tenant, std::string()}) {
      Sum& to = sums_[{whose, Seconds(window.step), window.StepOf(at)}];
      to.submits += sum.submits;
      to.credits += sum.credits;
      to.reserved += sum.reserved;
    }
  }
}

void SpendingTally::Write(Connection& connection, std::int64_t writer) {
  if (!rows_.empty()) {
    Array tenant(Type::kBytes), job_id(Type::kBytes), at(Type::kInt), credits(Type::kReal),
        reserved(Type::kReal);
    for (const Row& row : rows_) {
      tenant.Bytes(row.job.tenant);
      job_id.Bytes(row.job.id);
      row.at.has_value() ? at.Int(row.at->time_since_epoch().count()) : at.Null();
      credits.Real(row.counted.credits);
      reserved.Real(row.counted.reserved);
    }
    connection.Run(Statement("UPDATE pictory.jobs AS j SET counted_at = v.at,"
                             " counted_credits = v.credits, counted_reserved = v.reserved"
                             " FROM unnest($1::bytea[], $2::bytea[], $3::bigint[],"
                             " $4::double precision[], $5::double precision[])"
                             " AS v (tenant, job_id, at, credits, reserved)"
                             " WHERE j.tenant = v.tenant AND j.job_id = v.job_id")
                       .Add(tenant)
                       .Add(job_id)
                       .Add(at)
                       .Add(credits)
                       .Add(reserved));
  }
  if (!sums_.empty()) {
    Array tenant(Type::kBytes), span(Type::kInt), begins(Type::kInt), submits(Type::kInt),
        credits(Type::kReal), reserved(Type::kReal);
    for (const auto& [key, sum] : sums_) {
      tenant.Bytes(std::get<0>(key));
      span.Int(std::get<1>(key));
      begins.Int(std::get<2>(key).time_since_epoch().count());
      submits.Int(sum.submits);
      credits.Real(sum.credits);
      reserved.Real(sum.reserved);
    }
    connection.Run(
        Statement("INSERT INTO pictory.spending AS s"
                  " (tenant, span, begins, slot, submits, credits, reserved)"
                  " SELECT v.tenant, v.span, v.begins, $7, v.submits, v.credits, v.reserved"
                  " FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[],"
                  " $5::double precision[], $6::double precision[])"
                  " AS v (tenant, span, begins, submits, credits, reserved)"
                  " ON CONFLICT (tenant, span, begins, slot) DO UPDATE SET"
                  " submits = s.submits + excluded.submits,"
                  " credits = s.credits + excluded.credits,"
                  " reserved = s.reserved + excluded.reserved")
            .Add(tenant)
            .Add(span)
            .Add(begins)
            .Add(submits)
            .Add(credits)
            .Add(reserved)
            .Int(writer % limits::kSpendingSlots));
  }
  Clear();
}

void SpendingTally::Clear() {
  sums_.clear();
  rows_.clear();
}

std::vector<jobs::SpentTotal> ReadSpentTotals(Connection& connection) {
  std::map<std::string, jobs::SpentTotal> totals;
  const Rows spent = connection.Run(
      Statement(absl::StrCat("SELECT tenant, ", kSpentSums, " FROM pictory.spending WHERE ",
                             StepsOf(jobs::kLongWindow), " GROUP BY tenant")));
  for (int row = 0; row < spent.size(); ++row) {
    AddSpent(spent, row, 1, totals[std::string(spent.Bytes(row, 0))]);
  }
  const Rows waiting = connection.Run(
      Statement(absl::StrCat("SELECT tenant, ", WaitingSums(), " FROM pictory.jobs WHERE ",
                             Waiting(), " GROUP BY tenant")));
  for (int row = 0; row < waiting.size(); ++row) {
    for (const std::string& whose : {std::string(waiting.Bytes(row, 0)), std::string()}) {
      AddSpent(waiting, row, 1, totals[whose]);
    }
  }
  std::vector<jobs::SpentTotal> all;
  for (auto& [tenant, total] : totals) {
    total.tenant = tenant;
    all.push_back(std::move(total));
  }
  return all;
}

jobs::SpentTotal ReadSpentTotal(Connection& connection, const std::string& tenant) {
  jobs::SpentTotal total{.tenant = tenant};
  for (const std::string& sql :
       {absl::StrCat("SELECT ", kSpentSums, " FROM pictory.spending WHERE tenant = $1 AND ",
                     StepsOf(jobs::kLongWindow)),
        absl::StrCat("SELECT ", WaitingSums(), " FROM pictory.jobs WHERE tenant = $1 AND ",
                     Waiting())}) {
    AddSpent(connection.Run(Statement(sql).Bytes(tenant)), 0, 0, total);
  }
  total.active = CountActive(connection, tenant, std::numeric_limits<std::int64_t>::max());
  return total;
}

std::int64_t CountActive(Connection& connection, const std::string& tenant, std::int64_t most) {
  return connection
      .Run(Statement("SELECT count(*) FROM (SELECT 1 FROM pictory.jobs"
                     " WHERE tenant = $1 AND unended LIMIT $2) AS active")
               .Bytes(tenant)
               .Int(most))
      .Int(0, 0);
}

void ForgetSpending(Connection& connection) {
  connection.Run(
      Statement(absl::StrCat("DELETE FROM pictory.spending WHERE NOT (", StepsOf(jobs::kLongWindow),
                             ") AND NOT (", StepsOf(jobs::kShortWindow), ")")));
}

void CountJobs(Connection& connection) {
  const MorePatience patience(connection, limits::kStoreRecoverMax);
  connection.Script(kCountJobsSql);
}

// It is part of a released step of the schema, so it stays as it is.
const char kCountJobsSql[] = R"sql(
DELETE FROM pictory.spending;
UPDATE pictory.jobs SET
  counted_at = least(sent_at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
  counted_credits = least(greatest(coalesce(credits_used,
                    CASE WHEN state = 4 THEN 0 ELSE credits_reserved END), 0), 1e12),
  counted_reserved = CASE WHEN credits_used IS NOT NULL OR state = 4 THEN 0
                     ELSE least(greatest(credits_reserved, 0), 1e12) END
  WHERE spent_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 86400000000;
INSERT INTO pictory.spending (tenant, span, begins, slot, submits, credits, reserved)
  SELECT whose.tenant, steps.span, counted_at - counted_at % (steps.span * 1000000::bigint), 0,
         count(*), sum(counted_credits), sum(counted_reserved)
    FROM pictory.jobs AS j CROSS JOIN (VALUES (3600), (6)) AS steps (span)
         CROSS JOIN LATERAL (VALUES (j.tenant), (''::bytea)) AS whose (tenant)
   WHERE spent_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 86400000000
     AND counted_at IS NOT NULL AND (steps.span = 3600
     OR counted_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 66000000)
   GROUP BY 1, 2, 3;
)sql";
static_assert(jobs::v1::JOB_STATE_SUCCEEDED == 4);
static_assert(Seconds(jobs::kLongWindow.step) == 3600 && Seconds(jobs::kShortWindow.step) == 6);
static_assert(limits::kSpendingCreditsMax == 1e12);
static_assert(limits::kSpendingWindow == std::chrono::hours(24));

}  // namespace gateway::postgres
