// Guard names the safeguards of this layer that the simulator (tests/simulation) can switch off one
// at a time, to show that it would notice. No safeguard of a paid request is among them; those are
// tested by a store, a transport and callers that misbehave. Only the simulator's own build has the
// switch: in every other build IsOff is the constant false, and nothing of it is left in the
// program.
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
