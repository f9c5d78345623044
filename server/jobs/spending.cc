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

Spending::Pair& Spending::OfTenant(const std::string& tenant) {
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return found->second;
  return tenants_.emplace(tenant, Make(limits_.tenant_per_minute, limits_.tenant_per_day))
      .first->second;
}

void Spending::Count(const std::string& tenant, MonoTime when) {
  for (Pair* pair : {&all_, &OfTenant(tenant)}) {
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
    Count(one.tenant, now - age);
  }
}

absl::StatusOr<MonoTime> Spending::TryTake(const std::string& tenant) {
  if (stopped_) return errors::SubmitsStopped(kAskAgain);
  MutexLock lock(mutex_);
  const MonoTime now = clock_.Now();  // under the lock, so that times are counted in order
  Pair& own = OfTenant(tenant);
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
  Count(tenant, now);
  return now;
}

void Spending::Refund(const std::string& tenant, MonoTime taken) {
  MutexLock lock(mutex_);
  for (Pair* pair : {&all_, &OfTenant(tenant)}) {
    pair->minute.Remove(taken);
    pair->day.Remove(taken);
  }
  const MonoTime begin = MinuteOf(taken);
  const auto minute = std::find_if(today_.rbegin(), today_.rend(),
                                   [begin](const Minute& m) { return m.begin == begin; });
  if (minute != today_.rend() && minute->submits > 0) --minute->submits;
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
