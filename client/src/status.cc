#include "pictory_jobs/status.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "attempts.h"
#include "base/error_detail.h"
#include "base/errors.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs {
namespace {

constexpr char kMayHaveBeenTaken[] = "type.googleapis.com/pictory_jobs.MayHaveBeenTaken";

::pictory::jobs::internal::v1::ErrorInfo InfoOf(const absl::Status& status) {
  ::pictory::jobs::internal::v1::ErrorInfo info;
  gateway::ReadDetail(status, "type.googleapis.com/google.rpc.ErrorInfo", info);
  return info;
}

}  // namespace

std::string Reason(const absl::Status& status) {
  return FromGateway(status) ? gateway::errors::Reason(status) : "";
}

bool FromGateway(const absl::Status& status) {
  return InfoOf(status).domain() == gateway::errors::kDomain;
}

std::string ErrorMetadata(const absl::Status& status, const std::string& key) {
  if (!FromGateway(status)) return "";
  const auto info = InfoOf(status);
  const auto& metadata = info.metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

std::string JobNamedBy(const absl::Status& status) {
  if (!FromGateway(status)) return "";
  ::pictory::jobs::internal::v1::ResourceInfo info;
  gateway::ReadDetail(status, "type.googleapis.com/google.rpc.ResourceInfo", info);
  return info.resource_name();
}

bool BrokenConnection(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return !FromGateway(status);
    default:
      return false;
  }
}

std::optional<std::chrono::nanoseconds> RetryDelay(const absl::Status& status) {
  if (!status.GetPayload("type.googleapis.com/google.rpc.RetryInfo")) return std::nullopt;
  return gateway::errors::RetryDelay(status);
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  for (auto& violation : gateway::errors::Violations(status)) {
    violations.push_back({std::move(violation.field), std::move(violation.description)});
  }
  return violations;
}

bool SaysNothingWasDone(const absl::Status& status) {
  return FromGateway(status) && RetryDelay(status);
}

bool LeavesOpen(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      break;
    default:
      return false;
  }
  if (SaysNothingWasDone(status)) return false;
  const std::string reason = Reason(status);
  if (reason == "DEADLINE_TOO_SHORT" || reason == "STORE_FAILED") return false;
  // These are gRPC's own words where no connection came about.
  const std::string message(status.message());
  return message.rfind("failed to connect to all addresses", 0) != 0 &&
         message.rfind("DNS resolution failed", 0) != 0;
}

absl::Status MarkOpen(absl::Status status) {
  status.SetPayload(kMayHaveBeenTaken, absl::Cord("1"));
  return status;
}

bool MayHaveBeenTaken(const absl::Status& status) {
  return status.GetPayload(kMayHaveBeenTaken).has_value();
}

absl::StatusOr<Job> MustSucceed(Job job) {
  if (job.state() == JobState::JOB_STATE_SUCCEEDED) return job;
  const std::string why =
      absl::StrCat("job ", job.job_id(), " is ",
                   absl::StripPrefix(v1::JobState_Name(job.state()), "JOB_STATE_"));
  if (!job.has_error()) return absl::FailedPreconditionError(why);
  return absl::FailedPreconditionError(
      absl::StrCat(why, ": ", job.error().code(), ": ", job.error().message()));
}

// A state that a newer gateway has, and this library does not know, is not final.
bool IsFinal(JobState state) {
  switch (state) {
    case JobState::JOB_STATE_SUCCEEDED:
    case JobState::JOB_STATE_FAILED:
    case JobState::JOB_STATE_EXPIRED:
    case JobState::JOB_STATE_CLEANED:
    case JobState::JOB_STATE_OUTCOME_UNKNOWN:
    case JobState::JOB_STATE_CANCELLED:
      return true;
    default:
      return false;
  }
}

}  // namespace pictory_jobs
