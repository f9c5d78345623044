// Safeguards of this layer that can be taken out one at a time, so that the simulator
// (tests/simulation) can show that it would notice. Only the simulator's own build has the switch:
// in every other one IsOff is the constant false, and nothing of it is left in the program.
#pragma once

namespace gateway::jobs {

enum class Guard {
  kNone,
  kNeverResend,          // an outcome that is unknown is never sent again
  kStoredBeforeAnswer,   // ACCEPTED is durable before the caller hears of it
  kFingerprint,          // one request_id is one request
  kAskBeforeAdopting,    // a callback is a hint; Pictory itself confirms it
  kEarlyCallback,        // a callback before the answer is remembered
  kConfirmFailure,       // one failed reply is no failed job
  kStoredBeforePublish,  // what watchers have seen survives a crash
  kProgressOnlyRises,
  kOwedAnswers,  // an equal submit without a key gets the answer that never arrived
};

#ifdef PICTORY_SIMULATION
bool IsOff(Guard guard);
#else
constexpr bool IsOff(Guard) { return false; }
#endif

}  // namespace gateway::jobs
