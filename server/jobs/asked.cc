#include "jobs/asked.h"

#include <algorithm>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

// The clock may have moved either way: one that is set back is no proof that time has passed.
WallTime::duration Between(WallTime a, WallTime b) { return a < b ? b - a : a - b; }

}  // namespace

Asked Latest(const AskedOfAccounts& accounts) {
  Asked latest;
  for (const auto& [account, asked] : accounts) {
    if (asked.answered > latest.answered) latest = asked;
  }
  return latest;
}

Asked AfterAnswer(const Asked& asked, WallTime now) {
  const bool after_a_break = Between(asked.answered, now) > limits::kUnaskedGap;
  return {.answered = now, .since = after_a_break ? now : std::min(asked.since, now)};
}

Duration AgeSince(WallTime from, const Asked& asked, WallTime now) {
  const WallTime start = from > now ? asked.since : std::max(from, asked.since);
  return std::max<Duration>(Duration::zero(), std::min(now, asked.answered) - start);
}

WallTime StartTime(const Asked& asked, WallTime now) {
  if (asked.answered == WallTime{}) return now;
  return asked.answered > now || now - asked.answered > limits::kRequestIdKept ? asked.answered
                                                                               : now;
}

bool IsWorthNoting(const Asked& noted, const Asked& asked) {
  return noted.since != asked.since ||
         Between(noted.answered, asked.answered) >= limits::kAskedNoteInterval;
}

}  // namespace gateway::jobs
