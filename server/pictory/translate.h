// Two pure steps make Pictory's REST call of a caller's request: Validate and Translate.
//
// Validate refuses only what costs money, harms us, or what Pictory is known to ignore or reject
// late, and tells all violations at once, with field paths.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "google/protobuf/message.h"
#include "pictory/client.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {

struct TranslateOptions {
  // The API version of each kind; PATH_VERSION_V2 where a kind is missing.
  std::map<::pictory::jobs::v1::JobKind, ::pictory::jobs::v1::PathVersion> versions;
  // Loopback http URLs are fine when talking to the sandbox.
  bool allow_loopback_urls = false;
};

// What is wrong with the request of a submit, a CreateUpload or an UpdatePreview, whose fields are
// within the bounds that the .proto declares; empty if nothing. It finds unknown fields anywhere in
// the message, raw JSON that is broken or has unknown keys (with "did you mean"), a `webhook` of
// the caller's, and an arm that the configured path version does not have. Takes time in proportion
// to the request.
std::vector<errors::Violation> Validate(const google::protobuf::Message& request,
                                        const TranslateOptions& options);

// The job named in a request that must have SUCCEEDED first, such as preview_job_id of a Render:
// the field that the .proto gives a job_kind.
struct Reference {
  std::string field;
  std::string job_id;
  ::pictory::jobs::v1::JobKind kind = ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED;
};
// job_id is empty if the request names none.
Reference ReferencedJob(const google::protobuf::Message& request);

// The part of the referenced job's result that goes into the body, where the configured version
// takes that and not the job's id; UNSPECIFIED otherwise.
::pictory::jobs::v1::ResultPart PartToInline(const google::protobuf::Message& request,
                                             const TranslateOptions& options);

// The REST call of a request that Validate found nothing wrong with. `referenced_pictory_id` is
// Pictory's id of the referenced job, `inlined` the part of its result that PartToInline asks for.
// `webhook_url`, if not empty, becomes the body's `webhook`. INVALID_ARGUMENT if the body grows
// beyond limits::kRequestMaxBytes.
absl::StatusOr<Submission> Translate(const google::protobuf::Message& request,
                                     std::string_view referenced_pictory_id,
                                     std::string_view webhook_url, const TranslateOptions& options,
                                     std::string_view inlined = {});

}  // namespace gateway::pictory
