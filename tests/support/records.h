// A record of a job as a submit leaves it, for tests to change what they are about.
#pragma once

#include <string>

#include "base/clock.h"
#include "jobs/job.h"

namespace gateway::test {

// The job `job_id` of the tenant `default`, whose submit got so far. Once Pictory has accepted it,
// or may have, callers see it as revision 1.
inline jobs::JobRecord RecordOf(jobs::SubmissionState submission, const std::string& job_id = "j1",
                                WallTime created = {}) {
  namespace v1 = jobs::v1;
  jobs::JobRecord record;
  record.submission = submission;
  jobs::Job& job = record.job;
  job.tenant = "default";
  job.job_id = job_id;
  job.request_id = "request-" + job_id;
  job.kind = v1::JOB_KIND_RENDER;
  job.create_time = job.update_time = created;
  if (!jobs::IsVisible(submission)) return record;
  job.revision = 1;
  if (submission == jobs::SubmissionState::kAccepted) {
    job.state = v1::JOB_STATE_QUEUED;
    job.pictory_job_id = "p-" + job_id;
    record.accepted_at = created;
  } else {
    job.state = submission == jobs::SubmissionState::kUnknown   ? v1::JOB_STATE_UNCONFIRMED
                : submission == jobs::SubmissionState::kWaiting ? v1::JOB_STATE_WAITING
                                                                : v1::JOB_STATE_OUTCOME_UNKNOWN;
  }
  return record;
}

}  // namespace gateway::test
