// FollowBatch waits for many jobs by asking for all of them at once, where a watch for each would
// be a stream and a thread for each.
#pragma once

#include <vector>

#include "session.h"

namespace pictory_jobs::cli {

// Blocks until all have ended, --timeout is over, or Ctrl-C. Tells each new state, as `pictory
// watch` does, and at the end what became of them. The exit code is that of the job in most need of
// attention.
ExitCode FollowBatch(const Session& session, std::vector<Job> jobs);

}  // namespace pictory_jobs::cli
