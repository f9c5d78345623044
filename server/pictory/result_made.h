// ResultMade says how much of a result a finished job has. Pure.
#pragma once

#include "pictory/envelope.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/kinds.h"

namespace gateway::pictory {

enum class ResultMade {
  kNothing,    // nothing but the status and what goes with it
  kSomething,  // what this gateway has no name for, or what a result is expected beside
  kUsable
};

// Judges a reply that says completed. `job` is what ReadEnvelope read of its `data`. The kind's row
// says what is usable.
ResultMade MadeWhenCompleted(const Envelope& envelope, const KindFacts& kind,
                             const ::pictory::jobs::v1::Job& job);

}  // namespace gateway::pictory
