#include "jobs/shared_spending.h"

#include <algorithm>
#include <chrono>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/spending.h"

namespace gateway::jobs {
namespace {

WallTime::duration Wall(Duration time) {
  return std::chrono::duration_cast<WallTime::duration>(time);
}

// In how long a step has left the window.
Duration Leaves(WallTime begin, const SpendingWindow& window, WallTime now) {
  return std::max<Duration>(begin + Wall(window.step + window.length) - now, Duration::zero());
}

// In how long one more fits beside so many that are reserved; zero if it does now.
Duration FreeIn(const SpentSums::Steps& steps, const SpendingWindow& window, int limit,
                std::int64_t reserved, WallTime now) {
  if (limit == 0) return Duration::zero();
  const auto first = steps.lower_bound(window.FirstStep(now));
  std::int64_t ahead = std::max<std::int64_t>(reserved, 0);
  for (auto step = first; step != steps.end(); ++step) ahead += step->second.submits;
  if (ahead < limit) return Duration::zero();
  for (auto step = first; step != steps.end(); ++step) {
    ahead -= step->second.submits;
    if (ahead < limit) return Leaves(step->first, window, now);
  }
  return limits::kSpendingRetry;
}

absl::Status CheckCredits(const std::string& who, const SpentSums& own, std::int64_t limit,
                          double credits, WallTime now) {
  if (limit == 0) return absl::OkStatus();
  const auto first = own.day.lower_bound(kLongWindow.FirstStep(now));
  double counted = 0;
  for (auto step = first; step != own.day.end(); ++step) counted += step->second.credits;
  const double used = std::max(0.0, counted) + own.waiting_credits;
  const auto most = static_cast<double>(limit);
  // Who has used all of them gets no job, though it may cost none: that is known only at its end.
  if (used + credits <= most && used < most) return absl::OkStatus();
  double left = used + credits - most;
  Duration free = limits::kSpendingWindow;
  for (auto step = first; step != own.day.end(); ++step) {
    left -= step->second.credits;
    if (left > 0) continue;
    free = Leaves(step->first, kLongWindow, now);
    break;
  }
  return errors::CreditsLimit(who, limit, used, credits, free);
}

// So that no sum of them is beyond a double, whatever Pictory says.
double Countable(double credits) {
  return credits > 0 ? std::min(credits, limits::kSpendingCreditsMax) : 0;
}

}  // namespace

CountedSpending CountedOf(const JobRecord& record) {
  const bool under_way = IsInFlight(record.submission);
  const bool sent = CountsAsSpent(record.submission) && record.sent_at != WallTime{};
  if (!under_way && !sent) return {};
  const Job& job = record.job;
  const double reserved = record.credits_reserved;
  return {.spent = true,
          .credits = Countable(CreditsOf(job.state, job.credits_used, reserved)),
          .reserved = Countable(StillReserved(job.state, job.credits_used, reserved))};
}

bool IsSentAfterWaiting(const JobRecord& record) {
  return record.submission == SubmissionState::kSending &&
         record.job.state == v1::JOB_STATE_WAITING;
}

void SpentSums::Add(WallTime when, std::int64_t submits, double credits) {
  for (Step* step : {&day[kLongWindow.StepOf(when)], &minute[kShortWindow.StepOf(when)]}) {
    step->submits += submits;
    step->credits += credits;
  }
}

absl::Status SpendingCheck::Take(const JobRecord& record, const SubmitLimits& limits) {
  const std::string& tenant = record.job.tenant;
  const std::string who = "tenant " + tenant;
  const tenants::TenantLimits& most = limits.tenant;
  const bool waits = record.submission == SubmissionState::kWaiting;
  const bool is_active = IsSentAfterWaiting(record);  // already
  SpentSums& all = sums_[""];
  SpentSums& own = sums_[tenant];
  if (!is_active && most.active_jobs > 0 && own.active >= most.active_jobs) {
    return errors::TooManyActive(who, most.active_jobs, limits::kSpendingRetry);
  }
  const std::string gateway = "this gateway";
  struct Place {
    const std::string& who;
    const SpentSums& sums;
    const SpendingWindow& window;
    int limit;
  };
  for (const Place& place : {Place{gateway, all, kLongWindow, limits.all_per_day},
                             Place{who, own, kLongWindow, most.submits_per_day},
                             Place{gateway, all, kShortWindow, limits.all_per_minute},
                             Place{who, own, kShortWindow, most.submits_per_minute}}) {
    const bool of_day = &place.window == &kLongWindow;
    if (waits && !of_day) continue;
    const Duration free = FreeIn(of_day ? place.sums.day : place.sums.minute, place.window,
                                 place.limit, of_day ? place.sums.waiting : 0, now_);
    if (free > Duration::zero()) {
      return errors::SpendingLimit(place.who, place.limit, place.window.name, free);
    }
  }
  const double credits = record.credits_reserved;
  if (absl::Status may = CheckCredits(who, own, most.credits_per_day, credits, now_); !may.ok()) {
    return may;
  }
  for (SpentSums* sums : {&all, &own}) {
    if (!is_active) ++sums->active;
    if (waits) {
      ++sums->waiting;
      sums->waiting_credits += credits;
    } else {
      sums->Add(now_, 1, credits);
    }
  }
  return absl::OkStatus();
}

}  // namespace gateway::jobs
