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

}  // namespace gateway::jobs
