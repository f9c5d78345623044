#include "jobs/job.h"

namespace gateway::jobs {
namespace {

// A value that this build does not know (written by a newer one) is shown as its number.
std::string WithoutPrefix(const std::string& name, std::string_view prefix, int number) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::to_string(number);
}

}  // namespace

int Rank(JobState state) {
  switch (state) {
    case v1::JOB_STATE_WAITING:
      return 1;
    case v1::JOB_STATE_UNCONFIRMED:
      return 2;
    case v1::JOB_STATE_QUEUED:
      return 3;
    case v1::JOB_STATE_RUNNING:
      return 4;
    default:
      return IsFinal(state) ? 5 : 0;
  }
}

std::size_t LargeBytes(const JobRecord& record) {
  return record.job.result_wire.size() + record.job.archive_wire.size() +
         record.waiting_request.size();
}

bool WasAdopted(const JobRecord& record) { return record.job.request_id.empty(); }

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
