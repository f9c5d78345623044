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

// The same of days with several gateways.
struct SharedBreakage {
  std::string_view name;
  bool DatabaseBugs::* database = nullptr;  // a promise of the database that they share
  bool Bugs::* other = nullptr;             // or of the transport
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

inline constexpr std::array<SharedBreakage, 15> kSharedBreakages = {{
    {"lease-twice", &DatabaseBugs::grants_twice, nullptr,
     "a gateway is given the shards of another"},
    {"endless-lease", &DatabaseBugs::endless_leases, nullptr,
     "a gateway that was stopped believes that its lease goes on"},
    {"orphan-shards", &DatabaseBugs::keeps_shards, nullptr,
     "nobody gets the shards of a gateway that is gone"},
    {"end-the-living", &DatabaseBugs::ends_living, nullptr,
     "attempts are ended as left behind whose gateway is there"},
    {"leave-attempts", &DatabaseBugs::leaves_attempts, nullptr,
     "attempts of gateways that are gone are ended by nobody"},
    {"no-compare-and-set", &DatabaseBugs::ignores_versions, nullptr,
     "of two gateways who change a job the last one wins"},
    {"own-request-ids", &DatabaseBugs::own_request_ids, nullptr,
     "each gateway may begin a request_id"},
    {"stale-standby", &DatabaseBugs::loses_told_commits, nullptr,
     "a standby takes over that lacks what was told as stored"},
    {"guess-lost-answers", &DatabaseBugs::guesses_lost_answers, nullptr,
     "a commit whose answer is lost is taken for failed"},
    {"forgetful-feed", &DatabaseBugs::feed_forgets, nullptr, "some changes are not in the feed"},
    {"untold-gap", &DatabaseBugs::gaps_untold, nullptr,
     "a reader of the feed is not told that it has missed changes"},
    {"own-hints", &DatabaseBugs::own_hints, nullptr,
     "what a webhook call says is known to the gateway that it reached"},
    {"own-budget", &DatabaseBugs::counts_one, nullptr,
     "each gateway takes all of an account's budget"},
    {"no-limits", &DatabaseBugs::ignores_limits, nullptr,
     "submits begin whatever all gateways have spent"},
    {"late-send", nullptr, &Bugs::sends_late,
     "a gateway that was stopped before it sent does so when it goes on"},
}};

const Breakage* FindBreakage(std::string_view name);
const SharedBreakage* FindSharedBreakage(std::string_view name);
std::string BreakageNames();
// For the whole program; kNone of a Breakage that is none puts everything back.
void Apply(const Breakage& breakage, Bugs& bugs);
void Apply(const SharedBreakage& breakage, Bugs& bugs);

}  // namespace gateway::simulation
