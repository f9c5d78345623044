// Safeguards of this layer that can be taken out one at a time, so that the simulator
// (tests/simulation) can show that it would notice. None stands in the way of a paid request: what
// guards that is broken from outside, by the store, the transport and the callers. Only the
// simulator's own build has the switch: in every other one IsOff is the constant false, and nothing
// of it is left in the program.
#pragma once

namespace gateway::jobs {

enum class Guard {
  kNone,
  kAskBeforeAdopting,  // a webhook call is a hint; Pictory itself confirms it
  kEarlyWebhookCall,   // a webhook call before the answer is remembered
  kConfirmFailure,     // one failed reply is no failed job
  kProgressOnlyRises,
};

#ifdef PICTORY_SIMULATION
bool IsOff(Guard guard);
#else
constexpr bool IsOff(Guard) { return false; }
#endif

}  // namespace gateway::jobs
