#include "jobs/outcome.h"

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "base/errors.h"
#include "base/payloads.h"
#include "jobs/archive_plan.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::jobs {

namespace internal = ::pictory::jobs::internal::v1;
using Outcome = pictory::SubmitReply::Outcome;

namespace {

// A job ends that Pictory does not have, and that callers know, so that it must not vanish.
void EndUnsent(JobRecord& record, JobState state, WallTime now) {
  record.submission = SubmissionState::kAccepted;
  record.waiting_request.clear();
  record.sent_at = {};  // so that it does not count as spent
  record.job.state = state;
  record.job.update_time = now;
  record.job.finish_time = now;
  ++record.job.revision;
}

JobRecord Refused(const JobRecord& known, const pictory::SubmitReply& reply, WallTime now) {
  JobRecord record = known;
  record.job.error_code = errors::Reason(reply.error);
  record.job.error_message = std::string(reply.error.message());
  record.job.message = "Pictory did not take the job; nothing was billed";
  EndUnsent(record, v1::JOB_STATE_FAILED, now);
  return record;
}

// What a late answer makes of a job that callers know as UNCONFIRMED.
JobRecord AfterLateReply(const JobRecord& unconfirmed, const pictory::SubmitReply& reply,
                         WallTime now) {
  if (reply.outcome == Outcome::kUnknown) return unconfirmed;
  if (reply.outcome == Outcome::kAccepted) return Adopted(unconfirmed, reply.pictory_job_id, now);
  return Refused(unconfirmed, reply, now);
}

// What an answer makes of a record about which somebody has decided before Pictory answered. What
// the answer says is kept where nothing else is known.
JobRecord AfterDecision(const JobRecord& decided, const pictory::SubmitReply& reply, WallTime now) {
  JobRecord record = decided;
  if (reply.outcome != Outcome::kAccepted || !record.job.pictory_job_id.empty() ||
      !IsVisible(record)) {
    return record;
  }
  record.job.pictory_job_id = reply.pictory_job_id;
  record.job.message =
      "Given up before Pictory answered; it took the job, as " + reply.pictory_job_id;
  record.job.update_time = now;
  ++record.job.revision;
  return record;
}

}  // namespace

JobRecord Adopted(const JobRecord& unconfirmed, const std::string& pictory_job_id, WallTime now) {
  JobRecord record = unconfirmed;
  record.submission = SubmissionState::kAccepted;
  record.accepted_at = now;
  record.job.pictory_job_id = pictory_job_id;
  record.job.state = v1::JOB_STATE_QUEUED;
  record.job.message.clear();
  record.job.stale = false;
  record.job.update_time = now;
  ++record.job.revision;
  return record;
}

JobRecord FoundAtPictory(const std::string& pictory_job_id, WallTime now) {
  JobRecord record;
  record.submission = SubmissionState::kAccepted;
  record.accepted_at = now;
  record.next_poll_at = now;
  record.job.pictory_job_id = pictory_job_id;
  record.job.state = v1::JOB_STATE_QUEUED;
  record.job.revision = 1;
  record.job.create_time = now;
  record.job.update_time = now;
  return record;
}

JobRecord TakingOver(const JobRecord& submitted, const JobRecord& adopted) {
  // What polls have found out comes from the adopted record, what the submit says from the
  // submitted one.
  JobRecord record = adopted;
  const Job& own = submitted.job;
  Job& job = record.job;
  job.job_id = own.job_id;
  job.request_id = own.request_id;
  job.kind = own.kind;
  job.labels = own.labels;
  job.name = own.name;
  job.trace = own.trace;
  job.create_time = own.create_time;
  TakeOverArchive(adopted.job, job);
  job.revision = std::max(own.revision, adopted.job.revision + 1);
  record.version = submitted.version;
  job.shard = own.shard;
  record.submission = submitted.submission;
  record.fingerprint = submitted.fingerprint;
  record.attempt = submitted.attempt;
  record.owner_epoch = submitted.owner_epoch;
  record.correlation_token = submitted.correlation_token;
  record.refusal = submitted.refusal;
  record.sent_at = submitted.sent_at;
  record.credits_reserved = submitted.credits_reserved;
  record.minted_request_id = submitted.minted_request_id;
  record.mesh_request_id = submitted.mesh_request_id;
  record.delivery = submitted.delivery;
  record.notify_wire = submitted.notify_wire;
  return record;
}

JobRecord Abandoned(const JobRecord& unconfirmed, WallTime now) {
  JobRecord record = unconfirmed;
  record.submission = SubmissionState::kAbandoned;
  record.job.state = v1::JOB_STATE_OUTCOME_UNKNOWN;
  record.job.message = "Given up: whether Pictory took the job was never learnt";
  record.job.update_time = now;
  record.job.finish_time = now;
  ++record.job.revision;
  return record;
}

JobRecord WaitingOn(const JobRecord& sending) {
  JobRecord record = sending;
  record.submission = SubmissionState::kWaiting;
  record.sent_at = {};
  return record;
}

JobRecord Cancelled(const JobRecord& waiting, WallTime now) {
  JobRecord record = waiting;
  record.job.message = "Cancelled while it was waiting; nothing was sent, nothing was billed";
  EndUnsent(record, v1::JOB_STATE_CANCELLED, now);
  return record;
}

JobRecord NeverSent(const JobRecord& waiting, std::string code, std::string why, WallTime now) {
  JobRecord record = waiting;
  record.job.error_code = std::move(code);
  record.job.error_message = std::move(why);
  record.job.message = "Was not sent; nothing was billed";
  EndUnsent(record, v1::JOB_STATE_FAILED, now);
  return record;
}

bool MayPass(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return false;
    case absl::StatusCode::kFailedPrecondition: {
      // An operator, or who has the key, can mend these.
      const std::string reason = errors::Reason(why);
      return reason == errors::kUpstreamCredentials || reason == errors::kPictoryKeyNeeded ||
             reason == errors::kJobNotFinished;
    }
    default:
      return true;
  }
}

JobRecord AfterReply(const JobRecord& sending, const pictory::SubmitReply& reply, WallTime now) {
  if (sending.submission == SubmissionState::kUnknown) return AfterLateReply(sending, reply, now);
  if (sending.submission != SubmissionState::kSending) return AfterDecision(sending, reply, now);
  const bool waited = sending.job.state == v1::JOB_STATE_WAITING;
  // The refusal may be about the gateway's credentials, and not about the request: once they are
  // right, a retry must run.
  const bool not_sent = reply.outcome == Outcome::kNotSent ||
                        (reply.outcome == Outcome::kRefused &&
                         errors::Reason(reply.error) == errors::kUpstreamCredentials);
  if (waited && not_sent) return WaitingOn(sending);
  if (waited && reply.outcome == Outcome::kRefused) return Refused(sending, reply, now);
  JobRecord record = sending;
  record.job.update_time = now;
  if (not_sent) {
    record.submission = SubmissionState::kNotSent;
    return record;
  }
  if (reply.outcome == Outcome::kRefused) {
    record.submission = SubmissionState::kRejected;
    record.refusal = EncodeRefusal(reply.error);
    return record;
  }
  record.waiting_request.clear();
  ++record.job.revision;
  if (reply.outcome == Outcome::kAccepted) {
    record.submission = SubmissionState::kAccepted;
    record.job.pictory_job_id = reply.pictory_job_id;
    record.job.state = v1::JOB_STATE_QUEUED;
    record.job.message.clear();
    record.accepted_at = now;
  } else {
    record.submission = SubmissionState::kUnknown;
    record.job.state = v1::JOB_STATE_UNCONFIRMED;
    record.job.message = kUnconfirmedMessage;
  }
  return record;
}

std::string EncodeRefusal(const absl::Status& status) {
  internal::Status encoded;
  encoded.set_code(status.raw_code());
  encoded.set_message(std::string(status.message()));
  for (auto& [type_url, value] : Payloads(status)) {
    auto* detail = encoded.add_details();
    detail->set_type_url(std::move(type_url));
    detail->set_value(std::move(value));
  }
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
