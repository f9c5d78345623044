// What makes the result of a job usable, for each kind of job: the one place that says so. Pure.
#pragma once

#include <string>

#include "pictory/envelope.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

enum class ResultMade {
  kNothing,    // nothing but the status and what goes with it
  kSomething,  // what this gateway has no name for, or what a result is expected beside
  kUsable
};

// Of a reply that says completed. `job` is what ReadEnvelope read of its `data`. Of a render only
// its video is something.
ResultMade MadeWhenCompleted(const Envelope& envelope, ::pictory::jobs::v1::JobKind kind,
                             const ::pictory::jobs::v1::Job& job);

// Of a reply without that word: only what cannot be there before the end proves that the job has
// ended.
bool ProvesTheEnd(const Envelope& envelope, ::pictory::jobs::v1::JobKind kind);

// What kNothing and kSomething lack, for people: `videoURL`, `preview`, `transcript`, `result`.
std::string WhatIsMissing(::pictory::jobs::v1::JobKind kind);

}  // namespace gateway::pictory
