#include "jobs/repeat_budget.h"

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace gateway::jobs {

RepeatBudget::Second& RepeatBudget::At(MonoTime now) {
  while (!seconds_.empty() && seconds_.front().begin <= now - limits::kRepeatsWindow) {
    reads_ -= seconds_.front().reads;
    repeats_ -= seconds_.front().repeats;
    seconds_.pop_front();
  }
  const bool present = !seconds_.empty() && now - seconds_.back().begin < std::chrono::seconds(1);
  return present ? seconds_.back() : seconds_.emplace_back(Second{.begin = now});
}

void RepeatBudget::CountRead(MonoTime now) {
  ++At(now).reads;
  ++reads_;
}

bool RepeatBudget::TryRepeat(MonoTime now) {
  Second& second = At(now);
  if (repeats_ >= std::max(limits::kRepeatsMin, reads_ * limits::kRepeatsPercent / 100)) {
    return false;
  }
  ++second.repeats;
  ++repeats_;
  return true;
}

}  // namespace gateway::jobs
