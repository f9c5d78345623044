// For how long Pictory could be asked: the time by which unfinished jobs grow old. Pure functions.
//
// A week in which nobody could ask (the gateway was down, Pictory was, the credentials were
// refused) is no week in which a job had no end. Nor is a year by which somebody sets the clock
// forward.
#pragma once

#include "base/clock.h"

namespace gateway::jobs {

// Of one account. Kept by the store, because it outlives the process.
struct Asked {
  WallTime answered{};  // when Pictory last spoke of a job, whichever
  WallTime since{};  // when it did so first after the last break of more than limits::kUnaskedGap

  bool operator==(const Asked&) const = default;
};

// Pictory has spoken of a job at `now`.
Asked AfterAnswer(const Asked& asked, WallTime now);

// How much older something has become since `from`: up to the last answer, and not across a break.
// A time that is still to come was noted by a clock that was wrong; from then on counts nothing
// before the break.
Duration AgeSince(WallTime from, const Asked& asked, WallTime now);

// What time it is at a start, as far as the wall clock can be trusted: not before Pictory last
// spoke, and no more than limits::kRequestIdKept after it. So long away, or the clock is wrong:
// neither is a reason to forget what has not been kept as long.
WallTime StartTime(const Asked& asked, WallTime now);

// Of two in a row, the later one must be stored.
bool IsWorthNoting(const Asked& noted, const Asked& asked);

}  // namespace gateway::jobs
