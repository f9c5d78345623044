// RepeatBudget bounds how often calls to one Pictory account are sent again, because the answer to
// the first sending did not come or does not count: at most limits::kRepeatsPercent of a hundred
// reads of the last minute, and limits::kRepeatsMin in any case. So trouble at Pictory does not
// double what Pictory is asked. A poll at its next time is no repeat; its schedule slows down by
// itself.
//
// The class is not thread-safe: its owner locks. It reads no clock and depends only on the times it
// is given.
#pragma once

#include <deque>

#include "base/clock.h"

namespace gateway::jobs {

class RepeatBudget {
 public:
  // Counts a read that is sent for the first time.
  void CountRead(MonoTime now);
  // Counts a repeat, if there may be one.
  bool TryRepeat(MonoTime now);

 private:
  struct Second {
    MonoTime begin;
    int reads = 0;
    int repeats = 0;
  };

  // The present second, once the old ones have gone.
  Second& At(MonoTime now);

  std::deque<Second> seconds_;  // in order
  int reads_ = 0;               // in all of them
  int repeats_ = 0;             // the same
};

}  // namespace gateway::jobs
