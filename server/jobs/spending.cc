#include "jobs/spending.h"

#include <algorithm>

#include "base/errors.h"
#include "base/limits.h"
#include "pictory/credits.h"

namespace gateway::jobs {
namespace {

constexpr std::chrono::minutes kMinute{1};
constexpr Duration kDay = limits::kSpendingWindow;

MonoTime MinuteOf(MonoTime time) { return std::chrono::floor<std::chrono::minutes>(time); }

void DropBefore(std::deque<MonoTime>& times, MonoTime from) {
  while (!times.empty() && times.front() <= from) times.pop_front();
}

}  // namespace

double CreditsOf(const JobRecord& record) {
  const Job& job = record.job;
  const bool sent = record.sent_at != WallTime{} || job.state == v1::JOB_STATE_WAITING;
  return CreditsOf(job.state, job.credits_used, sent ? record.credits_reserved : 0);
}

Spent SpentOf(const JobRecord& record) {
  const Job& job = record.job;
  const double may_use = record.credits_reserved;
  Spent spent{
      .tenant = job.tenant, .sent_at = record.sent_at, .credits = may_use, .reserved = may_use};
  if (IsFinal(job.state) || record.submission == SubmissionState::kDeleted) {
    spent.credits = CreditsOf(job.state, job.credits_used, may_use);
    spent.reserved = StillReserved(job.state, job.credits_used, may_use);
  }
  return spent;
}

double CreditsToRender(const JobRecord& preview) {
  const std::optional<double>& used = preview.job.credits_used;
  if (WasAdopted(preview)) return used.value_or(pictory::kUnknownCredits);
  return std::max(preview.credits_reserved, used.value_or(0));
}

void Spending::Window::SetLimit(int other, const Minutes& minutes, MonoTime now) {
  if (other == limit) return;
  const bool knows = limit > 0 && other < limit;
  limit = other;
  if (!knows) {
    known_by_minute_until = now;
    times.clear();
    for (const Minute& minute : minutes) {
      const MonoTime end = std::min<MonoTime>(minute.begin + kMinute, now);
      if (end <= now - length) continue;
      times.insert(times.end(), static_cast<std::size_t>(std::max(0, minute.submits)), end);
    }
  }
  while (times.size() > static_cast<std::size_t>(limit)) times.pop_front();
}

MonoTime Spending::Window::FreeAt(MonoTime now, int reserved) {
  if (limit == 0) return now;
  DropBefore(times, now - length);
  const std::size_t ahead = times.size() + static_cast<std::size_t>(std::max(0, reserved));
  if (ahead < static_cast<std::size_t>(limit)) return now;
  return times.empty() ? now + limits::kSpendingRetry : times.front() + length;
}

void Spending::Window::Add(MonoTime when) {
  if (limit == 0) return;
  times.push_back(when);
  // After a restart with a lower limit there may be more submits than it allows; the newest ones
  // count.
  if (times.size() > static_cast<std::size_t>(limit)) times.pop_front();
}

void Spending::Window::Remove(MonoTime when) {
  const auto at = std::lower_bound(times.begin(), times.end(), when);
  if (at == times.end()) return;
  const bool by_minute = when <= known_by_minute_until && *at <= MinuteOf(when) + kMinute;
  if (*at == when || by_minute) times.erase(at);
}

Spending::Pair Spending::Make(int per_minute, int per_day) const {
  return {.minute = {.length = kMinute, .limit = per_minute},
          .day = {.length = kDay, .limit = per_day}};
}

Spending::OfOne& Spending::OfTenant(const std::string& tenant) {
  const auto found = tenants_.find(tenant);
  OfOne& own =
      found != tenants_.end()
          ? found->second
          : tenants_
                .emplace(tenant,
                         OfOne{.submits = Make(limits_.tenant_per_minute, limits_.tenant_per_day)})
                .first->second;
  const tenants::TenantLimits limits = LimitsFor(tenant);
  const MonoTime now = clock_.Now();
  own.submits.minute.SetLimit(limits.submits_per_minute, own.minutes, now);
  own.submits.day.SetLimit(limits.submits_per_day, own.minutes, now);
  return own;
}

tenants::TenantLimits Spending::LimitsFor(const std::string& tenant) const {
  tenants::TenantLimits limits = limits_of_ ? limits_of_(tenant) : tenants::TenantLimits{};
  if (limits.submits_per_minute == 0) limits.submits_per_minute = limits_.tenant_per_minute;
  if (limits.submits_per_day == 0) limits.submits_per_day = limits_.tenant_per_day;
  return limits;
}

void Spending::Add(Minutes& minutes, MonoTime when, const More& more) {
  const MonoTime begin = MinuteOf(when);
  auto at = std::lower_bound(minutes.begin(), minutes.end(), begin,
                             [](const Minute& a, MonoTime b) { return a.begin < b; });
  if (at == minutes.end() || at->begin != begin) at = minutes.insert(at, {.begin = begin});
  at->submits += more.submits;
  at->credits += more.credits;
  at->reserved += more.reserved;
  at->repeated += more.repeated;
}

Spending::Spent24h Spending::Sum(const Minutes& minutes, MonoTime from) {
  Spent24h sum;
  for (const Minute& minute : minutes) {
    if (minute.begin < from) continue;
    sum.submits += static_cast<std::size_t>(std::max(0, minute.submits));
    sum.credits += minute.credits;
    sum.reserved += minute.reserved;
    sum.repeated += static_cast<std::size_t>(minute.repeated);
  }
  sum.credits = std::max(0.0, sum.credits);
  sum.reserved = std::clamp(sum.reserved, 0.0, sum.credits);
  return sum;
}

absl::Status Spending::CheckCredits(const std::string& tenant, OfOne& own, double credits,
                                    MonoTime now) {
  const std::int64_t limit = LimitsFor(tenant).credits_per_day;
  if (limit == 0) return absl::OkStatus();
  const double used = With(Sum(own.minutes, MinuteOf(now - kDay)), own.reserved).credits;
  // A tenant that has used all of them gets no job, though it may cost none: that is known only
  // once it has ended.
  if (used + credits <= static_cast<double>(limit) && used < static_cast<double>(limit)) {
    return absl::OkStatus();
  }
  double left = used + credits - static_cast<double>(limit);
  MonoTime free = now + kDay;
  for (const Minute& minute : own.minutes) {
    left -= minute.credits;
    if (left <= 0) {
      free = minute.begin + kDay + kMinute;
      break;
    }
  }
  return errors::CreditsLimit("tenant " + tenant, limit, used, credits, free - now);
}

void Spending::Count(const std::string& tenant, MonoTime when, const More& one) {
  OfOne& own = OfTenant(tenant);
  for (Pair* pair : {&all_, &own.submits}) {
    pair->minute.Add(when);
    pair->day.Add(when);
  }
  CountByMinute(own, when, one);
}

void Spending::CountByMinute(OfOne& own, MonoTime when, const More& more) {
  for (Minutes* minutes : {&today_, &own.minutes}) {
    while (!minutes->empty() && minutes->front().begin <= when - kDay - kMinute) {
      minutes->pop_front();
    }
    Add(*minutes, when, more);
  }
}

void Spending::Recover(std::vector<Spent> spent, WallTime started) {
  if (by_ == By::kStore) return;
  std::sort(spent.begin(), spent.end(),
            [](const Spent& a, const Spent& b) { return a.sent_at < b.sent_at; });
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  for (const Spent& one : spent) {
    const Duration age = std::clamp<Duration>(started - one.sent_at, Duration::zero(), kDay);
    Count(one.tenant, now - age, {.submits = 1, .credits = one.credits, .reserved = one.reserved});
  }
}

absl::Status Spending::Check(const std::string& tenant, double credits, bool minute, MonoTime now) {
  OfOne& one = OfTenant(tenant);
  Pair& own = one.submits;
  const std::string who = "tenant " + tenant;
  struct Place {
    Window& window;
    const std::string& who;
    const char* name;
    int reserved;
  };
  const std::string gateway = "this gateway";
  for (const Place& place :
       {Place{all_.day, gateway, "day", reserved_.submits},
        Place{own.day, who, "day", one.reserved.submits}, Place{all_.minute, gateway, "minute", 0},
        Place{own.minute, who, "minute", 0}}) {
    if (place.window.length == kMinute && !minute) continue;
    const MonoTime free = place.window.FreeAt(now, place.reserved);
    if (free > now)
      return errors::SpendingLimit(place.who, place.window.limit, place.name, free - now);
  }
  return CheckCredits(tenant, one, credits, now);
}

absl::StatusOr<MonoTime> Spending::TryTake(const std::string& tenant, double credits) {
  if (stopped()) return errors::SubmitsStopped(limits::kSpendingRetry);
  if (by_ == By::kStore) return clock_.Now();
  MutexLock lock(mutex_);
  const MonoTime now = clock_.Now();  // under the lock, so that times are counted in order
  if (absl::Status may = Check(tenant, credits, /*minute=*/true, now); !may.ok()) return may;
  Count(tenant, now, {.submits = 1, .credits = credits, .reserved = credits});
  return now;
}

void Spending::Refund(const std::string& tenant, MonoTime taken, double credits) {
  if (by_ == By::kStore) return;
  MutexLock lock(mutex_);
  RefundLocked(tenant, taken, credits);
}

void Spending::RefundLocked(const std::string& tenant, MonoTime taken, double credits) {
  OfOne& own = OfTenant(tenant);
  for (Pair* pair : {&all_, &own.submits}) {
    pair->minute.Remove(taken);
    pair->day.Remove(taken);
  }
  for (Minutes* minutes : {&today_, &own.minutes}) {
    Add(*minutes, taken, {.submits = -1, .credits = -credits, .reserved = -credits});
  }
}

void Spending::AddReserved(const std::string& tenant, int submits, double credits) {
  for (Reserved* reserved : {&reserved_, &OfTenant(tenant).reserved}) {
    reserved->submits += submits;
    reserved->credits += credits;
  }
}

absl::Status Spending::Reserve(const std::string& tenant, double credits, bool known) {
  if (stopped() && !known) return errors::SubmitsStopped(limits::kSpendingRetry);
  if (by_ == By::kStore) return absl::OkStatus();
  MutexLock lock(mutex_);
  absl::Status may =
      known ? absl::OkStatus() : Check(tenant, credits, /*minute=*/false, clock_.Now());
  if (may.ok()) AddReserved(tenant, 1, credits);
  return may;
}

void Spending::Release(const std::string& tenant, double credits) {
  if (by_ == By::kStore) return;
  MutexLock lock(mutex_);
  AddReserved(tenant, -1, -credits);
}

absl::StatusOr<MonoTime> Spending::TakeReserved(const std::string& tenant, double reserved,
                                                double credits) {
  if (stopped()) return errors::SubmitsStopped(limits::kSpendingRetry);
  if (by_ == By::kStore) return clock_.Now();
  MutexLock lock(mutex_);
  const MonoTime now = clock_.Now();
  AddReserved(tenant, -1, -reserved);
  if (absl::Status may = Check(tenant, credits, /*minute=*/true, now); !may.ok()) {
    AddReserved(tenant, 1, reserved);
    return may;
  }
  Count(tenant, now, {.submits = 1, .credits = credits, .reserved = credits});
  return now;
}

void Spending::WaitAgain(const std::string& tenant, MonoTime taken, double reserved,
                         double credits) {
  if (by_ == By::kStore) return;
  MutexLock lock(mutex_);
  RefundLocked(tenant, taken, credits);
  AddReserved(tenant, 1, reserved);
}

bool Spending::LimitsActive(const std::string& tenant) const {
  return by_ == By::kThis && LimitsFor(tenant).active_jobs > 0;
}

absl::Status Spending::CheckActive(const std::string& tenant, std::size_t active) const {
  const int limit = LimitsFor(tenant).active_jobs;
  if (limit == 0 || active < static_cast<std::size_t>(limit)) return absl::OkStatus();
  return errors::TooManyActive("tenant " + tenant, limit, limits::kSpendingRetry);
}

void Spending::NoteRepeated(const std::string& tenant) {
  MutexLock lock(mutex_);
  CountByMinute(OfTenant(tenant), clock_.Now(), {.repeated = 1});
}

void Spending::OnEnded(const JobRecord& record) {
  if (by_ == By::kStore) return;
  const Job& job = record.job;
  // One that was not submitted here, or not sent, or that has left the window counts nowhere.
  const Duration age = clock_.WallNow() - record.sent_at;
  if (!CountsAsSpent(record.submission) || record.sent_at == WallTime{} || age >= kDay) return;
  const double was = record.credits_reserved;
  const More more{.credits = CreditsOf(job.state, job.credits_used, was) - was,
                  .reserved = StillReserved(job.state, job.credits_used, was) - was};
  if (more.credits == 0 && more.reserved == 0) return;
  const MonoTime sent = clock_.Now() - std::max(age, Duration::zero());
  MutexLock lock(mutex_);
  for (Minutes* minutes : {&today_, &OfTenant(job.tenant).minutes}) Add(*minutes, sent, more);
}

Spending::Spent24h Spending::With(Spent24h spent, const Reserved& reserved) {
  spent.submits += static_cast<std::size_t>(std::max(0, reserved.submits));
  spent.credits += std::max(0.0, reserved.credits);
  spent.reserved += std::max(0.0, reserved.credits);
  return spent;
}

SubmitLimits Spending::LimitsOfSubmit(const std::string& tenant) const {
  return {.all_per_minute = limits_.per_minute,
          .all_per_day = limits_.per_day,
          .tenant = LimitsFor(tenant)};
}

void Spending::TakeTotals(const std::vector<SpentTotal>& totals) {
  std::map<std::string, SpentTotal> told;
  for (const SpentTotal& total : totals) told[total.tenant] = total;
  MutexLock lock(mutex_);
  told_.swap(told);
}

Spending::Spent24h Spending::Told(Spent24h counted, const SpentTotal& total) {
  counted.submits = static_cast<std::size_t>(std::max<std::int64_t>(total.submits, 0));
  counted.credits = std::max(0.0, total.credits);
  counted.reserved = std::clamp(total.reserved, 0.0, counted.credits);
  return counted;
}

Spending::Spent24h Spending::AsTold(Spent24h counted, const std::string& tenant) const {
  if (by_ == By::kThis) return counted;
  const auto found = told_.find(tenant);
  return found == told_.end() ? counted : Told(counted, found->second);
}

Spending::Spent24h Spending::spent_today() const {
  const MonoTime from = MinuteOf(clock_.Now() - kDay);
  MutexLock lock(mutex_);
  return AsTold(With(Sum(today_, from), reserved_), "");
}

Spending::Spent24h Spending::spent_today(const std::string& tenant) const {
  const MonoTime from = MinuteOf(clock_.Now() - kDay);
  MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  const Spent24h counted = found == tenants_.end()
                               ? Spent24h{}
                               : With(Sum(found->second.minutes, from), found->second.reserved);
  return AsTold(counted, tenant);
}

std::map<std::string, Spending::Spent24h> Spending::spent_by_tenant() const {
  const MonoTime from = MinuteOf(clock_.Now() - kDay);
  std::map<std::string, Spent24h> spent;
  MutexLock lock(mutex_);
  for (const auto& [tenant, one] : tenants_) {
    spent.emplace(tenant, With(Sum(one.minutes, from), one.reserved));
  }
  for (const auto& [tenant, total] : told_) {
    if (!tenant.empty()) spent[tenant] = AsTold(spent[tenant], tenant);
  }
  return spent;
}

}  // namespace gateway::jobs
