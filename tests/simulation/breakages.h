// Safeguards taken out on purpose, by name: the proof that the simulator would notice.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "jobs/guards.h"
#include "simulation/world.h"

namespace gateway::simulation {

struct Breakage {
  std::string_view name;
  jobs::Guard guard = jobs::Guard::kNone;  // a safeguard of the domain
  bool StoreBugs::* store = nullptr;       // or a promise of the store
  bool Bugs::* other = nullptr;            // or of the transport or the callers
  std::string_view what;
};

inline constexpr std::array<Breakage, 19> kBreakages = {{
    {"resend", jobs::Guard::kNone, nullptr, &Bugs::transport_resends,
     "a submit without an answer is sent again"},
    {"transport-lies", jobs::Guard::kNone, nullptr, &Bugs::transport_lies,
     "a reset or a timeout is taken for not sent"},
    {"lost-commits", jobs::Guard::kNone, &StoreBugs::loses_last_commits, nullptr,
     "what the store acknowledged last is gone after a crash"},
    {"forget-sending", jobs::Guard::kNone, &StoreBugs::forgets_what_was_sent, nullptr,
     "a restart ignores that the process before had sent"},
    {"early-acknowledgement", jobs::Guard::kNone, &StoreBugs::acknowledges_early, nullptr,
     "callers are told of changes before they are durable"},
    {"no-fingerprint", jobs::Guard::kNone, nullptr, &Bugs::one_fingerprint,
     "a request_id is believed whatever the request"},
    {"trust-webhooks", jobs::Guard::kAskBeforeAdopting, nullptr, nullptr,
     "a webhook call is believed without asking Pictory"},
    {"drop-early-webhooks", jobs::Guard::kEarlyWebhookCall, nullptr, nullptr,
     "a webhook call before the answer to the submit is dropped"},
    {"one-failure", jobs::Guard::kConfirmFailure, nullptr, nullptr, "one failed reply ends a job"},
    {"falling-progress", jobs::Guard::kProgressOnlyRises, nullptr, nullptr,
     "progress is what Pictory says last"},
    {"no-late-writes", jobs::Guard::kNone, &StoreBugs::calls_busy_failed, nullptr,
     "what came of a submit is dropped if the store is busy at that moment"},
    {"no-trace", jobs::Guard::kNone, &StoreBugs::deletes_the_request_id, nullptr,
     "a deleted job leaves no trace of its request_id"},
    {"no-owed-answers", jobs::Guard::kNone, nullptr, &Bugs::new_fingerprints,
     "an equal submit without a key is another one, although the answer never arrived"},
    {"forget-owed", jobs::Guard::kNone, &StoreBugs::forgets_what_is_owed, nullptr,
     "a restart takes every answer for one that has arrived"},
    {"forget-hints", jobs::Guard::kNone, &StoreBugs::forgets_hints, nullptr,
     "a webhook call about an unconfirmed job is answered and gone after a crash"},
    {"no-take-over", jobs::Guard::kNone, &StoreBugs::keeps_adopted_apart, nullptr,
     "an adopted job stays another one when Pictory's answer shows that it was submitted"},
    {"last-writer-wins", jobs::Guard::kNone, &StoreBugs::ignores_versions, nullptr,
     "a job that is cancelled and sent at the same moment is what was stored last"},
    {"one-purse", jobs::Guard::kNone, nullptr, &Bugs::one_purse,
     "one caller's key of Pictory's pays for all callers"},
    {"forget-silence", jobs::Guard::kNone, &StoreBugs::forgets_silence, nullptr,
     "a week in which nobody could ask makes jobs as old as any other"},
}};

const Breakage* FindBreakage(std::string_view name);
std::string BreakageNames();
// For the whole program; kNone of a Breakage that is none puts everything back.
void Apply(const Breakage& breakage, Bugs& bugs);

}  // namespace gateway::simulation
