// WhatChanged compares a file of submits with the jobs that were made of it before. Pure.
//
// A line that was changed looks like one that is gone and one that is new, and would be paid for
// again. So where lines are gone nothing new is submitted, unless it is said to be meant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batch_file.h"
#include "pictory_jobs/job.h"
#include "problem.h"

namespace pictory_jobs::cli {

// `before` are the jobs with the label of the batch. A job that ended without a result is not
// missed: its line is changed so that it succeeds. `source` names the file.
std::optional<Problem> WhatChanged(const std::string& source, const std::vector<BatchLine>& lines,
                                   const std::vector<Job>& before);

// `3-5, 9`.
std::string Ranges(const std::vector<int>& lines);

}  // namespace pictory_jobs::cli
