#include "jobs/job.h"

namespace gateway::jobs {
namespace {

// A value this build does not know (written by a newer one) shows as its number.
std::string WithoutPrefix(const std::string& name, std::string_view prefix, int number) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::to_string(number);
}

}  // namespace

bool IsFinal(JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
    case v1::JOB_STATE_FAILED:
    case v1::JOB_STATE_EXPIRED:
    case v1::JOB_STATE_CLEANED:
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
      return true;
    default:
      return false;
  }
}

int Rank(JobState state) {
  switch (state) {
    case v1::JOB_STATE_UNCONFIRMED:
      return 1;
    case v1::JOB_STATE_QUEUED:
      return 2;
    case v1::JOB_STATE_RUNNING:
      return 3;
    default:
      return IsFinal(state) ? 4 : 0;
  }
}

bool IsVisible(const JobRecord& record) {
  switch (record.submission) {
    case SubmissionState::kAccepted:
    case SubmissionState::kUnknown:
    case SubmissionState::kAbandoned:
      return true;
    case SubmissionState::kIntent:
    case SubmissionState::kSending:
    case SubmissionState::kRejected:
    case SubmissionState::kNotSent:
    case SubmissionState::kDeleted:
      return false;
  }
  return false;
}

bool CountsAsSpent(SubmissionState state) {
  switch (state) {
    case SubmissionState::kSending:
    case SubmissionState::kAccepted:
    case SubmissionState::kUnknown:
    case SubmissionState::kAbandoned:
    case SubmissionState::kDeleted:
      return true;
    case SubmissionState::kIntent:
    case SubmissionState::kRejected:
    case SubmissionState::kNotSent:
      return false;
  }
  return false;
}

bool CanBeOwed(SubmissionState state) {
  return state == SubmissionState::kSending || state == SubmissionState::kAccepted ||
         state == SubmissionState::kUnknown;
}

bool IsPollable(const JobRecord& record) {
  return IsVisible(record) && !IsFinal(record.job.state) && !record.job.pictory_job_id.empty();
}

std::string StateName(JobState state) {
  return WithoutPrefix(v1::JobState_Name(state), "JOB_STATE_", state);
}

std::string KindName(JobKind kind) {
  return WithoutPrefix(v1::JobKind_Name(kind), "JOB_KIND_", kind);
}

std::string PartName(v1::ResultPart part) {
  return WithoutPrefix(v1::ResultPart_Name(part), "RESULT_PART_", part);
}

}  // namespace gateway::jobs
