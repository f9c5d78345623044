// Asked says for how long Pictory could be asked about jobs. Unfinished jobs grow old by this time,
// not by the wall clock. The functions are pure.
//
// A week in which nobody could ask (the gateway was down, Pictory was, the credentials were
// refused) is not a week that a job spent without ending. Neither is a year by which somebody sets
// the clock forward.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"

namespace gateway::jobs {

// The times of one account. The store keeps them, because they outlive the process.
struct Asked {
  WallTime answered{};  // when Pictory last spoke of a job, whichever
  WallTime since{};  // when it did so first after the last break of more than limits::kUnaskedGap

  bool operator==(const Asked&) const = default;
};

using AskedOfAccounts = std::map<std::string, Asked>;

// The times of the account that Pictory spoke of last; zero without any.
Asked Latest(const AskedOfAccounts& accounts);

// What `asked` becomes when Pictory has spoken of a job at `now`.
Asked AfterAnswer(const Asked& asked, WallTime now);

// How much older something has become since `from`, counted up to the last answer and not across a
// break. If `from` is still to come, it was noted by a clock that was wrong; then nothing before
// the break counts.
Duration AgeSince(WallTime from, const Asked& asked, WallTime now);

// The time at a start, as far as the wall clock can be trusted: not before Pictory last spoke, and
// no more than limits::kRequestIdKept after it. If the clock says more, the gateway was away for so
// long or the clock is wrong; neither is a reason to forget what has not been kept as long.
WallTime StartTime(const Asked& asked, WallTime now);

// Whether `asked`, which follows `noted`, must be stored.
bool IsWorthNoting(const Asked& noted, const Asked& asked);

}  // namespace gateway::jobs
