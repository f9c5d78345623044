#include "jobs/turn_line.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "jobs/schedule.h"

namespace gateway::jobs {

using Share = Budget::Share;

MonoTime TurnLine::TurnAt(const Line& line, MonoTime now) {
  const std::size_t before = FairTurns(waiting_, line.size(), lines_.size());
  const std::chrono::duration<double> wait(static_cast<double>(before) /
                                           account_.requests_per_second());
  return std::max(now, account_.NextAt(Share::kSubmit)) +
         std::chrono::duration_cast<Duration>(wait);
}

void TurnLine::Wait(const std::string& tenant, MonoTime give_up, Done done) {
  {
    MutexLock lock(mutex_);
    const MonoTime now = clock_.Now();
    Line& line = lines_[tenant];
    if (!account_.resting() && TurnAt(line, now) <= give_up) {
      line.push_back({give_up, std::move(done)});
      ++waiting_;
      return ArmBy(std::min(give_up, TurnTime(now)));
    }
    if (line.empty()) lines_.erase(tenant);
  }
  done(false);
}

bool TurnLine::busy() const {
  MutexLock lock(mutex_);
  return waiting_ > 0;
}

void TurnLine::TellAll(std::vector<Told>& told) {
  for (auto& [tenant, line] : lines_) {
    for (Waiter& waiter : line) told.push_back({std::move(waiter.done), false});
  }
  lines_.clear();
  waiting_ = 0;
}

void TurnLine::TellLate(MonoTime now, std::vector<Told>& told) {
  for (auto& [tenant, line] : lines_) {
    waiting_ -= line.remove_if([now, &told](Waiter& waiter) {
      if (waiter.give_up > now) return false;
      told.push_back({std::move(waiter.done), false});
      return true;
    });
  }
  std::erase_if(lines_, [](const auto& line) { return line.second.empty(); });
}

void TurnLine::TakeTurns(std::vector<Told>& told) {
  while (waiting_ > 0 && account_.TryTake(Share::kSubmit)) {
    auto line = lines_.upper_bound(last_);
    if (line == lines_.end()) line = lines_.begin();
    last_ = line->first;
    told.push_back({std::move(line->second.front().done), true});
    line->second.pop_front();
    if (line->second.empty()) lines_.erase(line);
    --waiting_;
  }
}

MonoTime TurnLine::TurnTime(MonoTime now) {
  return std::max(account_.NextAt(Share::kSubmit), now + std::chrono::milliseconds(1));
}

void TurnLine::ArmBy(MonoTime at) {
  if (armed_for_ <= at) return;
  armed_for_ = at;
  next_.At(at, [this] { Serve(); });
}

void TurnLine::Serve() {
  std::vector<Told> told;
  {
    MutexLock lock(mutex_);
    const MonoTime now = clock_.Now();
    armed_for_ = MonoTime::max();
    if (account_.resting()) {
      TellAll(told);
    } else {
      TakeTurns(told);
      TellLate(now, told);
    }
    if (waiting_ > 0) ArmBy(TurnTime(now));
    for (const auto& [tenant, line] : lines_) {
      for (const Waiter& waiter : line) ArmBy(waiter.give_up);
    }
  }
  for (const Told& one : told) one.done(one.taken);
}

}  // namespace gateway::jobs
