#include "jobs/waiting_request.h"

#include "pictory/bindings.h"
#include "pictory/translate.h"

namespace gateway::jobs {

std::shared_ptr<const google::protobuf::Message> RequestOf(const JobRecord& waiting) {
  const auto* const submit = pictory::SubmitMaking(waiting.job.kind);
  if (submit == nullptr) return nullptr;
  std::shared_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(submit->input_type())
          ->New());
  return request->ParseFromString(waiting.waiting_request) ? request : nullptr;
}

std::string NameOfOther(const JobRecord& waiting) {
  const auto request = RequestOf(waiting);
  return request == nullptr ? "" : pictory::ReferencedJob(*request).job_id;
}

std::optional<WhyNever> WhyNeverSent(const pictory::Reference& reference,
                                     const absl::StatusOr<SnapshotPtr>& other) {
  const std::string name = reference.field + " " + reference.job_id;
  if (!other.ok()) {
    if (!absl::IsNotFound(other.status())) return std::nullopt;
    return WhyNever{.code = "REFERENCED_JOB_DELETED",
                    .words = name + " was deleted while this job was waiting for it"};
  }
  const Snapshot& job = **other;
  if (!job.final() || job.state == v1::JOB_STATE_SUCCEEDED) return std::nullopt;
  const std::string state = StateName(job.state);
  WhyNever why{.code = "REFERENCED_JOB_" + state, .words = name + " has ended as " + state};
  const v1::Job shown = ToProto(job);
  if (shown.has_error()) why.words += ": " + shown.error().code() + ": " + shown.error().message();
  return why;
}

}  // namespace gateway::jobs
