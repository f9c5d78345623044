#include "jobs/spending.h"

#include <algorithm>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {
namespace {

constexpr std::chrono::minutes kMinute{1};
constexpr Duration kDay = limits::kSpendingWindow;
constexpr std::chrono::minutes kAskAgain{1};

MonoTime MinuteOf(MonoTime time) { return std::chrono::floor<std::chrono::minutes>(time); }

void DropBefore(std::deque<MonoTime>& times, MonoTime from) {
  while (!times.empty() && times.front() <= from) times.pop_front();
}

}  // namespace

MonoTime Spending::Window::FreeAt(MonoTime now) {
  if (limit == 0) return now;
  DropBefore(times, now - length);
  return times.size() < static_cast<std::size_t>(limit) ? now : times.front() + length;
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
  if (at != times.end() && *at == when) times.erase(at);
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
  if (!limits_of_) return own;
  const tenants::TenantLimits limits = limits_of_(tenant);
  own.submits.minute.limit =
      limits.submits_per_minute > 0 ? limits.submits_per_minute : limits_.tenant_per_minute;
  own.submits.day.limit =
      limits.submits_per_day > 0 ? limits.submits_per_day : limits_.tenant_per_day;
  return own;
}

void Spending::AddCredits(OfOne& tenant, MonoTime when, double credits) {
  if (credits == 0) return;
  const MonoTime minute = MinuteOf(when);
  auto at = std::lower_bound(tenant.credits.begin(), tenant.credits.end(), minute,
                             [](const Credits& a, MonoTime b) { return a.begin < b; });
  if (at == tenant.credits.end() || at->begin != minute) {
    at = tenant.credits.insert(at, {.begin = minute});
  }
  at->credits += credits;
}

double Spending::Sum(const OfOne& tenant, MonoTime from) {
  double sum = 0;
  for (const Credits& minute : tenant.credits) {
    if (minute.begin >= from) sum += minute.credits;
  }
  return sum;
}

absl::Status Spending::CheckCredits(const std::string& tenant, OfOne& own, double credits,
                                    MonoTime now) {
  const MonoTime from = MinuteOf(now - kDay);
  while (!own.credits.empty() && own.credits.front().begin < from) own.credits.pop_front();
  const std::int64_t limit = limits_of_ ? limits_of_(tenant).credits_per_day : 0;
  if (limit == 0) return absl::OkStatus();
  const double used = Sum(own, from);
  // A tenant that has used all of them gets no job, though it may cost none: that is known only
  // once it has ended.
  if (used + credits <= static_cast<double>(limit) && used < static_cast<double>(limit)) {
    return absl::OkStatus();
  }
  double left = used + credits - static_cast<double>(limit);
  MonoTime free = now + kDay;
  for (const Credits& minute : own.credits) {
    left -= minute.credits;
    if (left <= 0) {
      free = minute.begin + kDay + kMinute;
      break;
    }
  }
  return errors::CreditsLimit("tenant " + tenant, limit, used, credits, free - now);
}

void Spending::Count(const std::string& tenant, MonoTime when, double credits) {
  OfOne& own = OfTenant(tenant);
  AddCredits(own, when, credits);
  for (Pair* pair : {&all_, &own.submits}) {
    pair->minute.Add(when);
    pair->day.Add(when);
  }
  while (!today_.empty() && today_.front().begin <= when - kDay - kMinute) today_.pop_front();
  const MonoTime minute = MinuteOf(when);
  if (today_.empty() || today_.back().begin != minute) today_.push_back({.begin = minute});
  ++today_.back().submits;
}

void Spending::Recover(std::vector<Spent> spent, WallTime started) {
  std::sort(spent.begin(), spent.end(),
            [](const Spent& a, const Spent& b) { return a.sent_at < b.sent_at; });
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  for (const Spent& one : spent) {
    const Duration age = std::clamp<Duration>(started - one.sent_at, Duration::zero(), kDay);
    Count(one.tenant, now - age, one.credits);
  }
}

absl::StatusOr<MonoTime> Spending::TryTake(const std::string& tenant, double credits) {
  if (stopped_) return errors::SubmitsStopped(kAskAgain);
  MutexLock lock(mutex_);
  const MonoTime now = clock_.Now();  // under the lock, so that times are counted in order
  OfOne& one = OfTenant(tenant);
  Pair& own = one.submits;
  const std::string who = "tenant " + tenant;
  struct Check {
    Window& window;
    const std::string& who;
    const char* name;
  };
  const std::string gateway = "this gateway";
  for (const Check& check :
       {Check{all_.day, gateway, "day"}, Check{own.day, who, "day"},
        Check{all_.minute, gateway, "minute"}, Check{own.minute, who, "minute"}}) {
    const MonoTime free = check.window.FreeAt(now);
    if (free > now)
      return errors::SpendingLimit(check.who, check.window.limit, check.name, free - now);
  }
  if (absl::Status may = CheckCredits(tenant, one, credits, now); !may.ok()) return may;
  Count(tenant, now, credits);
  return now;
}

void Spending::Refund(const std::string& tenant, MonoTime taken, double credits) {
  MutexLock lock(mutex_);
  OfOne& own = OfTenant(tenant);
  AddCredits(own, taken, -credits);
  for (Pair* pair : {&all_, &own.submits}) {
    pair->minute.Remove(taken);
    pair->day.Remove(taken);
  }
  const MonoTime begin = MinuteOf(taken);
  const auto minute = std::find_if(today_.rbegin(), today_.rend(),
                                   [begin](const Minute& m) { return m.begin == begin; });
  if (minute != today_.rend() && minute->submits > 0) --minute->submits;
}

bool Spending::LimitsActive(const std::string& tenant) const {
  return limits_of_ && limits_of_(tenant).active_jobs > 0;
}

absl::Status Spending::CheckActive(const std::string& tenant, std::size_t active) const {
  const int limit = limits_of_ ? limits_of_(tenant).active_jobs : 0;
  if (limit == 0 || active < static_cast<std::size_t>(limit)) return absl::OkStatus();
  return errors::TooManyActive("tenant " + tenant, limit, kAskAgain);
}

// A job that succeeded without a word of credits has used none. Of one that ended otherwise nothing
// is known, so what was reserved for it stays counted.
void Spending::OnChange(const JobRecord& record) {
  const Job& job = record.job;
  const bool ends_now = job.finish_time.has_value() && *job.finish_time == job.update_time;
  if (!ends_now || !CountsAsSpent(record.submission)) return;
  if (!job.credits_used.has_value() && job.state != v1::JOB_STATE_SUCCEEDED) return;
  const double more = job.credits_used.value_or(0) - record.credits_reserved;
  if (more == 0) return;
  const Duration age =
      std::clamp<Duration>(clock_.WallNow() - record.sent_at, Duration::zero(), kDay);
  MutexLock lock(mutex_);
  AddCredits(OfTenant(job.tenant), clock_.Now() - age, more);
}

double Spending::credits_today(const std::string& tenant) const {
  const MonoTime from = MinuteOf(clock_.Now() - kDay);
  MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : std::max(0.0, Sum(found->second, from));
}

std::size_t Spending::spent_today() const {
  const MonoTime from = MinuteOf(clock_.Now() - kDay);
  MutexLock lock(mutex_);
  std::size_t submits = 0;
  for (const Minute& minute : today_) {
    if (minute.begin >= from) submits += minute.submits;
  }
  return submits;
}

}  // namespace gateway::jobs
