// PlanAgain says which lines of a file that was submitted are to be submitted again, because their
// jobs have failed. Pure.
//
// The submit has a request_id that is made of the failed job's id, so whoever does it twice gets
// one job. If that one fails as well, the next has its id, and so on: of a line only the newest job
// counts.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "batch_file.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// The request_id of a submit in place of this job.
std::string AgainId(const Job& failed);

struct AgainPlan {
  struct One {
    std::size_t line = 0;  // its place in `lines`
    const Job* failed = nullptr;
  };
  std::vector<One> again;
  // Jobs that are chosen, and that no line made: their requests are nowhere.
  std::vector<const Job*> without_line;
};

// `jobs` are all jobs of the file, and must outlive the plan; `chosen` says of which a new submit
// is wanted.
AgainPlan PlanAgain(const std::vector<BatchLine>& lines, const std::vector<Job>& jobs,
                    const std::function<bool(const Job&)>& chosen);

// What the submits may cost, as far as jobs of the same kind that succeeded have told: each as much
// as those did on average.
struct AgainCost {
  double credits = 0;
  std::size_t known = 0;  // of how many submits
};
AgainCost CostOf(const AgainPlan& plan, const std::vector<Job>& jobs);

}  // namespace pictory_jobs::cli
