// Run carries out one invocation.
#pragma once

#include "exit_code.h"
#include "invocation.h"
#include "request.h"

namespace pictory_jobs::cli {

// Prints answers and errors. Call it on the main thread before any other thread exists.
ExitCode Run(const Invocation& invocation, const Files& files);

}  // namespace pictory_jobs::cli
