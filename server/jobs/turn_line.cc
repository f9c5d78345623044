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
      if (++waiting_ == 1) {
        places_->Tell(this, [this] { next_freed_.At(clock_.Now(), [this] { Serve(); }); });
      }
      return ArmBy(std::min(give_up, TurnTime(now)));
    }
    if (line.empty()) lines_.erase(tenant);
  }
  done({});
}

bool TurnLine::busy() const {
  MutexLock lock(mutex_);
  return waiting_ > 0;
}

void TurnLine::TellAll(std::vector<Told>& told) {
  for (auto& [tenant, line] : lines_) {
    for (Waiter& waiter : line) told.push_back({std::move(waiter.done), {}});
  }
  lines_.clear();
  waiting_ = 0;
}

void TurnLine::TellLate(MonoTime now, std::vector<Told>& told) {
  for (auto& [tenant, line] : lines_) {
    const bool crowded = !places_->HasFor(HolderOf(tenant));
    waiting_ -= line.remove_if([now, crowded, &told](Waiter& waiter) {
      if (waiter.give_up > now) return false;
      told.push_back({std::move(waiter.done), {.place = nullptr, .crowded = crowded}});
      return true;
    });
  }
  std::erase_if(lines_, [](const auto& line) { return line.second.empty(); });
}

void TurnLine::TakeTurns(std::vector<Told>& told) {
  while (true) {
    const auto line = NextLine();
    if (line == lines_.end() || !account_.TryTake(Share::kSubmit)) return;
    Places::Place place = places_->TryTake(HolderOf(line->first));
    if (place == nullptr)
      return account_.Refund(Share::kSubmit);  // another account has just got it
    last_ = line->first;
    told.push_back({std::move(line->second.front().done), {.place = std::move(place)}});
    line->second.pop_front();
    if (line->second.empty()) lines_.erase(line);
    --waiting_;
  }
}

TurnLine::Lines::iterator TurnLine::NextLine() {
  auto line = lines_.upper_bound(last_);
  for (std::size_t i = 0; i < lines_.size(); ++i, ++line) {
    if (line == lines_.end()) line = lines_.begin();
    if (places_->HasFor(HolderOf(line->first))) return line;
  }
  return lines_.end();
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
    if (waiting_ == 0) places_->Forget(this);
    if (NextLine() != lines_.end()) ArmBy(TurnTime(now));  // budget is all that is missing
    for (const auto& [tenant, line] : lines_) {
      for (const Waiter& waiter : line) ArmBy(waiter.give_up);
    }
  }
  for (Told& one : told) one.done(std::move(one.end));
}

}  // namespace gateway::jobs
