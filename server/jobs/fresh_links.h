// The links of a result may be good for some time only. This function asks Pictory once for a job
// as it is now, so that its files can be had by links that are new.
#pragma once

#include <functional>
#include <string>

#include "jobs/job.h"
#include "jobs/upstreams.h"

namespace gateway::jobs {

struct FreshLinks {
  bool asked = false;       // Pictory has said something of the job; else it may be asked later
  std::string result_wire;  // as Job::result_wire; empty: Pictory gave no result
};

// Takes one turn of kLook now, or does not ask. Nothing of the job is changed. `done` may be called
// inside.
void AskForLinks(Upstreams& upstreams, const Job& job, std::function<void(FreshLinks)> done);

}  // namespace gateway::jobs
