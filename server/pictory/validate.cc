// Validation of the four submits: what they share, then what each of them needs. And of uploads.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/check.h"
#include "json/proto_plan.h"
#include "pictory/bindings.h"
#include "pictory/message_check.h"
#include "pictory/raw_check.h"
#include "pictory/storyboard_check.h"
#include "pictory/translate.h"
#include "pictory/upload.h"
#include "pictory/violations.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

template <class Request>
void CheckCommon(const Request& request, Violations& violations) {
  if (!request.request_id().empty() && !IsRequestId(request.request_id())) {
    violations.Add("request_id", absl::StrCat("must be 1 to ", limits::kRequestIdMaxBytes,
                                              " characters of A-Z, a-z, 0-9, _ and -"));
  }
  if (request.labels().contains("")) violations.Add("labels[]", "has an empty key");
}

// The source is chosen, and Pictory's configured generation has a call for it.
void CheckSource(const Message& request, const TranslateOptions& options, Violations& violations) {
  const google::protobuf::MethodDescriptor* const method = SubmitOf(request.GetDescriptor());
  const google::protobuf::OneofDescriptor* const source = SourceOf(request.GetDescriptor());
  if (method == nullptr) return;
  const v1::PathVersion version = VersionFor(method, options);
  const FieldDescriptor* const arm = ArmOf(request);
  const auto arms = [&] { return absl::StrJoin(ArmsUnder(method, version), ", "); };
  if (source != nullptr && arm == nullptr) {
    violations.Add("source", absl::StrCat("is required: set one of ", arms()));
    return;
  }
  const std::string name = arm == nullptr ? "" : arm->name();
  if (FindBinding(method, name, version) == nullptr) {
    violations.Add(name, absl::StrCat("is not possible with Pictory's ",
                                      version == v1::PATH_VERSION_V1 ? "v1" : "v2",
                                      " API, which this server uses for it; use one of ", arms()));
  }
}

// Of JSON text that is checked elsewhere.
bool IsEmptyArray(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t open = text.find_first_not_of(kSpace);
  if (open == std::string_view::npos || text[open] != '[') return false;
  const std::size_t next = text.find_first_not_of(kSpace, open + 1);
  return next != std::string_view::npos && text[next] == ']';
}

// A job or project that goes into the path.
void CheckPathId(const std::string& field, const std::string& id, Violations& violations) {
  if (!IsUpstreamId(id)) {
    violations.Add(field, absl::StrCat("must be 1 to ", limits::kUpstreamIdMaxBytes,
                                       " visible ASCII characters, and not . or .."));
  }
}

// Hashed with a seed of the process, so that nobody outside can make keys clash.
using Keys = absl::flat_hash_set<std::string>;

void AddKeys(const json::Outline& outline, Keys& keys) {
  keys.reserve(keys.size() + outline.members.size());
  for (const json::Member& member : outline.members) keys.insert(member.key);
}

void CheckRequest(const v1::CreatePreviewRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  CheckCommon(request, violations);
  CheckSource(request, options, violations);
  if (request.has_storyboard()) CheckStoryboard(request.storyboard(), "storyboard", violations);
  if (request.has_storyboard_json()) {
    json::Outline body;
    if (CheckRawValue("storyboard_json", request.storyboard_json(), json::Type::kObject, violations,
                      &body)) {
      CheckRawStoryboard("storyboard_json", body,
                         VersionFor(SubmitOf(request.GetDescriptor()), options),
                         request.allow_unknown_fields(), violations);
    }
  }
}

void CheckRequest(const v1::RenderRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  CheckCommon(request, violations);
  CheckSource(request, options, violations);
  json::Outline body;
  Keys taken;
  switch (request.source_case()) {
    case v1::RenderRequest::kPreviewJobId:
      CheckPathId("preview_job_id", request.preview_job_id(), violations);
      break;
    case v1::RenderRequest::kProjectId:
      CheckPathId("project_id", request.project_id(), violations);
      break;
    case v1::RenderRequest::kRenderParamsJson:
      if (CheckRawValue("render_params_json", request.render_params_json(), json::Type::kObject,
                        violations, &body, json::Reading::kForgiving)) {
        CheckRawRenderParams("render_params_json", body, violations);
      }
      AddKeys(body, taken);
      break;
    case v1::RenderRequest::kStoryboardJson:
      if (CheckRawValue("storyboard_json", request.storyboard_json(), json::Type::kObject,
                        violations, &body)) {
        CheckRawStoryboard("storyboard_json", body,
                           VersionFor(SubmitOf(request.GetDescriptor()), options),
                           request.allow_unknown_fields(), violations);
      }
      AddKeys(body, taken);
      break;
    case v1::RenderRequest::kStoryboard:
      CheckStoryboard(request.storyboard(), "storyboard", violations);
      for (std::string& key : json::KnownKeys(v1::Storyboard::descriptor())) {
        taken.insert(std::move(key));
      }
      if (json::Check(request.storyboard().extra_json(), RawLimits(), &body).ok()) {
        AddKeys(body, taken);
      }
      break;
    case v1::RenderRequest::SOURCE_NOT_SET:
      break;
  }
  // That it is an object without a webhook has been checked with all the others.
  Violations only_clashes;
  if (!request.extra_json().empty() && !taken.empty()) {
    const auto is_taken = [&taken](const std::string& key) { return taken.contains(key); };
    CheckExtra("extra_json", request.extra_json(), false, is_taken, only_clashes);
    for (errors::Violation& clash : only_clashes.Take()) {
      if (clash.field != "extra_json" && clash.field != "extra_json.webhook") {
        violations.Add(std::move(clash.field), std::move(clash.description));
      }
    }
  }
}

void CheckRequest(const v1::TranscribeRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  CheckCommon(request, violations);
  CheckSource(request, options, violations);
  // A URL that is there has been checked with all the others.
  if (request.file_url().empty()) violations.Add("file_url", "is required");
}

void CheckRequest(const v1::SummarizeRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  CheckCommon(request, violations);
  CheckSource(request, options, violations);
  if (request.source_case() == v1::SummarizeRequest::kTranscriptionJobId) {
    CheckPathId("transcription_job_id", request.transcription_job_id(), violations);
  }
  if (request.has_transcript() && request.transcript().sentences().empty()) {
    violations.Add("transcript.sentences", "must not be empty");
  }
  if (IsEmptyArray(request.transcript_json()))
    violations.Add("transcript_json", "must not be empty");
  if (request.highlight_duration_seconds() < 1) {
    violations.Add("highlight_duration_seconds",
                   "is required: the length wanted, at least 1 second");
  }
  if (request.has_duration_seconds() && request.duration_seconds() <= 0) {
    violations.Add("duration_seconds", "must be positive");
  }
  if (request.language().find_first_of("-_") != std::string::npos) {
    violations.Add("language", "must be two letters: en, not en-US");
  }
}

}  // namespace

std::vector<errors::Violation> Validate(const Message& request, const TranslateOptions& options) {
  Violations violations;
  CheckMessage(request, "", options, violations);
  if (const auto* preview = dynamic_cast<const v1::CreatePreviewRequest*>(&request)) {
    CheckRequest(*preview, options, violations);
  } else if (const auto* render = dynamic_cast<const v1::RenderRequest*>(&request)) {
    CheckRequest(*render, options, violations);
  } else if (const auto* transcribe = dynamic_cast<const v1::TranscribeRequest*>(&request)) {
    CheckRequest(*transcribe, options, violations);
  } else if (const auto* summarize = dynamic_cast<const v1::SummarizeRequest*>(&request)) {
    CheckRequest(*summarize, options, violations);
  } else if (const auto* upload = dynamic_cast<const v1::CreateUploadRequest*>(&request)) {
    CheckUpload(*upload, violations);
  } else {
    violations.Add("", request.GetTypeName() + " is no submit");
  }
  return violations.Take();
}

}  // namespace gateway::pictory
