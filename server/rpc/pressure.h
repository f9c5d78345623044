// What callers are told whose call is shed (base/shedding.h).
#pragma once

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/shedding.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

// What is refused, in the message.
const char* WordsFor(Shed what);
// When to come again, for a random number in [0, 1): different for each, so that callers who were
// refused at once do not come back at once.
Duration ShedRetryAfter(double random);

// Why a call that needs this is refused now; OK if it is not. A refusal is counted.
absl::Status UnderPressure(const Domain& domain, Shed what);

}  // namespace gateway::rpc
