// An ExitCode is what the exit status of `pictory` says. The numbers are part of its interface.
// Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

enum ExitCode : int {
  kSucceeded = 0,       // done; after waiting: the job SUCCEEDED
  kJobFailed = 1,       // the job FAILED, or its result was removed
  kUsage = 2,           // wrong arguments, a missing file, JSON that is none; nothing was submitted
  kNotFound = 3,        // no such job or part
  kStoppedWaiting = 4,  // --timeout, or the gateway gave up asking; the job may go on
  kRefused = 5,         // gateway unreachable, or it refused the call
  kOutcomeUnknown = 6,  // perhaps at work, perhaps billed: do not submit it again
  kUnwritten = 7,       // standard output took no answer; a submitted job's id is on stderr
  kDetached = 130,      // Ctrl-C; the job goes on
};

// The exit code for a final state, and for UNCONFIRMED when the job is not waited for any longer.
ExitCode ExitForState(JobState state);

// The exit code for a failed call that submits nothing.
ExitCode ExitForStatus(const absl::Status& status);

// The one of two that needs more attention.
ExitCode Worse(ExitCode a, ExitCode b);

}  // namespace pictory_jobs::cli
