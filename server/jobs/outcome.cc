#include "jobs/outcome.h"

#include "absl/strings/cord.h"
#include "base/errors.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::jobs {

namespace internal = ::pictory::jobs::internal::v1;
using Outcome = pictory::SubmitReply::Outcome;

JobRecord AfterReply(const JobRecord& sending, const pictory::SubmitReply& reply, WallTime now) {
  JobRecord record = sending;
  record.job.update_time = now;
  switch (reply.outcome) {
    case Outcome::kAccepted:
      record.submission = SubmissionState::kAccepted;
      record.job.pictory_job_id = reply.pictory_job_id;
      record.job.state = v1::JOB_STATE_QUEUED;
      record.job.revision = 1;
      record.accepted_at = now;
      break;
    case Outcome::kRefused:
      if (errors::Reason(reply.error) == errors::kUpstreamCredentials) {
        // About us, not about the request: once the key is right, a retry must run.
        record.submission = SubmissionState::kNotSent;
        break;
      }
      record.submission = SubmissionState::kRejected;
      record.refusal = EncodeRefusal(reply.error);
      break;
    case Outcome::kNotSent:
      record.submission = SubmissionState::kNotSent;
      break;
    case Outcome::kUnknown:
      record.submission = SubmissionState::kUnknown;
      record.job.state = v1::JOB_STATE_UNCONFIRMED;
      record.job.revision = 1;
      record.job.message = kUnconfirmedMessage;
      break;
  }
  return record;
}

std::string EncodeRefusal(const absl::Status& status) {
  internal::Status encoded;
  encoded.set_code(status.raw_code());
  encoded.set_message(std::string(status.message()));
  status.ForEachPayload([&encoded](absl::string_view type_url, const absl::Cord& value) {
    auto* detail = encoded.add_details();
    detail->set_type_url(std::string(type_url));
    detail->set_value(std::string(value));
  });
  return encoded.SerializeAsString();
}

absl::Status DecodeRefusal(const std::string& encoded) {
  internal::Status decoded;
  if (!decoded.ParseFromString(encoded) || decoded.code() == 0) {
    return errors::Internal("The stored refusal of this request cannot be read");
  }
  absl::Status status(static_cast<absl::StatusCode>(decoded.code()), decoded.message());
  for (const auto& detail : decoded.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

}  // namespace gateway::jobs
