// These functions keep the request of a job that waits in its record, and make the submit of it
// again.
#pragma once

#include <memory>
#include <string>

#include "google/protobuf/message.h"
#include "jobs/job.h"

namespace gateway::jobs {

// The request of a record that waits; null if its bytes cannot be read.
std::shared_ptr<const google::protobuf::Message> RequestOf(const JobRecord& waiting);

// The name by which that request names the job that is waited for.
std::string NameOfOther(const JobRecord& waiting);

}  // namespace gateway::jobs
