// These functions tell what is known of a call's effect after its attempts.
#pragma once

#include "absl/status/status.h"

namespace pictory_jobs {

// Whether the gateway itself wrote this status, with a time to try again. Then nothing was done.
bool SaysNothingWasDone(const absl::Status& status);

// Whether an attempt that failed with this status may have had its effect.
bool LeavesOpen(const absl::Status& status);

// The status of the whole call, once one of its attempts left that open: MayHaveBeenTaken.
absl::Status MarkOpen(absl::Status status);

}  // namespace pictory_jobs
