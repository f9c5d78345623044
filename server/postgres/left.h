// What processes leave behind that are gone: attempts under way, and answers that they owe. It is
// found by reading all unended jobs, which may take long, so it is read beside the writer, and
// written only as far as it is still as it was read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jobs/job.h"
#include "jobs/owed_answers.h"

namespace gateway::postgres {

// Of whom: jobs whose owner_epoch is no gateway's.
struct Left {
  std::string gateway;  // whose own epoch counts as gone, too; may be empty
  std::optional<std::vector<std::int32_t>> shards;  // of the jobs; nullopt: all
};

// The condition of a job whose answer is owed, as far as the store knows: the end of a process says
// of what it does not name that it has arrived.
std::string OwedStill();

struct OwedOnce {
  jobs::OwedJob job;
  std::int64_t epoch = 0;  // of the process that owed it
};

// What is found among the unended jobs. There are few: no more than were under way at once.
struct LeftJobs {
  std::vector<jobs::JobRecord> under_way;
  std::vector<OwedOnce> waiting;  // what is not sent yet, and may be soon
};

}  // namespace gateway::postgres
