#include "jobs/restart.h"

#include "jobs/fingerprint.h"

namespace gateway::jobs {

std::optional<JobRecord> Interrupted(JobRecord record, WallTime now) {
  switch (record.submission) {
    case SubmissionState::kIntent:
      record.submission = SubmissionState::kNotSent;
      record.waiting_request.clear();
      break;
    case SubmissionState::kSending:
      record.submission = SubmissionState::kUnknown;
      record.job.state = v1::JOB_STATE_UNCONFIRMED;
      record.job.message = kUnconfirmedMessage;
      record.waiting_request.clear();
      ++record.job.revision;
      break;
    case SubmissionState::kAccepted:
    case SubmissionState::kRejected:
    case SubmissionState::kNotSent:
    case SubmissionState::kUnknown:
    case SubmissionState::kAbandoned:
    case SubmissionState::kDeleted:
    case SubmissionState::kWaiting:
      return std::nullopt;
  }
  record.job.update_time = now;
  return record;
}

std::optional<JobRecord> BeginAgain(const JobRecord& known, JobRecord wanted) {
  if (known.submission != SubmissionState::kNotSent) return std::nullopt;
  if (!SameRequest(known.fingerprint, wanted.fingerprint)) return std::nullopt;
  // It has given way to an equal submit (Submitter::GiveWay).
  if (wanted.minted_request_id && !known.minted_request_id) return std::nullopt;
  wanted.job.job_id = known.job.job_id;
  wanted.job.create_time = known.job.create_time;
  wanted.attempt = known.attempt + 1;
  wanted.version = known.version;
  return wanted;
}

}  // namespace gateway::jobs
