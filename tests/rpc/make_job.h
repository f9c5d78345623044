// Jobs and records for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "jobs/job.h"

namespace gateway::test {

inline jobs::Job MakeJob(const std::string& job_id, jobs::JobState state, std::int32_t revision) {
  jobs::Job job;
  job.tenant = "default";
  job.job_id = job_id;
  job.pictory_job_id = "pictory-" + job_id;
  job.request_id = "request-" + job_id;
  job.kind = jobs::v1::JOB_KIND_RENDER;
  job.state = state;
  job.revision = revision;
  job.create_time = WallTime(std::chrono::seconds(1'700'000'000));
  job.update_time = job.create_time + std::chrono::seconds(revision);
  return job;
}

inline jobs::JobRecord MakeRecord(jobs::Job job) {
  jobs::JobRecord record;
  record.job = std::move(job);
  record.submission = jobs::SubmissionState::kAccepted;
  return record;
}

}  // namespace gateway::test
