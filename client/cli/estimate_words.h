// What the gateway estimates of a job, in words. The times in an estimate were made a moment ago,
// so it is compared with the present. Pure.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// `~2m05s left`, `soon?` once the likely time is over, `late?` once the late one is, `stalled?`.
// Empty: there is no estimate.
std::string EstimateWords(const Job& job, absl::Time now);

// `done in about 2m05s, mostly within 4m10s (as 34 past jobs of this kind)`. Empty: the same.
std::string EstimateSentence(const Job& job, absl::Time now);

// What there is to say of a job that seems to stand still; empty of all others.
std::string StallNote(const Job& job, absl::Time now);

}  // namespace pictory_jobs::cli
