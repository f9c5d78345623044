#include "pictory/request_rules.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "json/check.h"
#include "json/proto_plan.h"
#include "pictory/bindings.h"
#include "pictory/raw_check.h"
#include "pictory/storyboard_check.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The keys are hashed with a seed of the process, so that nobody outside can make them clash.
using Keys = absl::flat_hash_set<std::string>;

void AddKeys(const json::Outline& outline, Keys& keys) {
  keys.reserve(keys.size() + outline.members.size());
  for (const json::Member& member : outline.members) keys.insert(member.key);
}

// `outline` holds the members afterwards, unless the text is broken.
void CheckStoryboardJson(const Message& request, const std::string& text, bool allow_unknown_fields,
                         const TranslateOptions& options, Violations& violations,
                         json::Outline& outline) {
  if (!CheckRawValue("storyboard_json", text, json::Type::kObject, violations, &outline)) return;
  CheckRawStoryboard("storyboard_json", outline,
                     VersionFor(SubmitOf(request.GetDescriptor()), options), allow_unknown_fields,
                     violations);
}

// Checks that `extra_json` has no key that is taken. Whether it is an object without a webhook has
// been checked with all other fields.
void CheckClashes(const std::string& extra_json, const Keys& taken, Violations& violations) {
  if (extra_json.empty() || taken.empty()) return;
  Violations only_clashes;
  const auto is_taken = [&taken](const std::string& key) { return taken.contains(key); };
  CheckExtra("extra_json", extra_json, false, is_taken, only_clashes);
  for (errors::Violation& clash : only_clashes.Take()) {
    if (clash.field != "extra_json" && clash.field != "extra_json.webhook") {
      violations.Add(std::move(clash.field), std::move(clash.description));
    }
  }
}

// The arm `x` beside `x_json`, if it is a message; nullptr otherwise.
const google::protobuf::Descriptor* TypedBeside(const FieldDescriptor* raw) {
  constexpr std::string_view kJson = "_json";
  std::string name(raw->name());
  if (name.size() <= kJson.size() || !name.ends_with(kJson)) return nullptr;
  name.resize(name.size() - kJson.size());
  const FieldDescriptor* const typed = raw->containing_type()->FindFieldByName(name);
  return typed == nullptr ? nullptr : typed->message_type();
}

}  // namespace

void CheckPreview(const v1::CreatePreviewRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  if (request.has_storyboard()) CheckStoryboard(request.storyboard(), "storyboard", violations);
  if (request.has_storyboard_json()) {
    json::Outline body;
    CheckStoryboardJson(request, request.storyboard_json(), request.allow_unknown_fields(), options,
                        violations, body);
  }
  if (request.has_from_template() && request.from_template().template_id().empty()) {
    violations.Add("from_template.template_id", "is required");
  }
  json::Outline body;
  if (request.has_from_template_json() &&
      CheckRawValue("from_template_json", request.from_template_json(), json::Type::kObject,
                    violations, &body)) {
    CheckRawBody("from_template_json", body, nullptr, violations);
    std::vector<std::string> meant;
    if (!request.allow_unknown_fields()) {
      meant = CheckLikelyMisspelt("from_template_json", body, v1::TemplateVideo::descriptor(),
                                  violations);
    }
    const bool said = std::find(meant.begin(), meant.end(), "templateId") != meant.end();
    if (body.Find("templateId") == nullptr && !said) {
      violations.Add("from_template_json.templateId", "is required");
    }
  }
}

void CheckRender(const v1::RenderRequest& request, const TranslateOptions& options,
                 Violations& violations) {
  json::Outline body;
  Keys taken;
  switch (request.source_case()) {
    case v1::RenderRequest::kRenderParamsJson:
      if (CheckRawValue("render_params_json", request.render_params_json(), json::Type::kObject,
                        violations, &body, json::Reading::kForgiving)) {
        CheckRawRenderParams("render_params_json", body, violations);
      }
      AddKeys(body, taken);
      break;
    case v1::RenderRequest::kStoryboardJson:
      CheckStoryboardJson(request, request.storyboard_json(), request.allow_unknown_fields(),
                          options, violations, body);
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
    case v1::RenderRequest::kPreviewJobId:
    case v1::RenderRequest::kProjectId:
    case v1::RenderRequest::SOURCE_NOT_SET:
      break;
  }
  CheckClashes(request.extra_json(), taken, violations);
}

void CheckSummary(const v1::SummarizeRequest& request, const TranslateOptions& options,
                  Violations& violations) {
  if (request.has_typed_transcript() && request.typed_transcript().sentences().empty()) {
    violations.Add("typed_transcript.sentences", "must not be empty");
  }
  if (request.has_transcript() && request.transcript().values().empty()) {
    violations.Add("transcript", "must not be empty");
  }
  if (IsEmptyArray(request.transcript_json()))
    violations.Add("transcript_json", "must not be empty");
  // Of a transcription that it has itself Pictory picks a length; v1 is sent the transcript.
  const bool may_pick =
      request.has_transcription_job_id() &&
      VersionFor(SubmitOf(request.GetDescriptor()), options) == v1::PATH_VERSION_V2;
  if (request.highlight_duration_seconds() < 0) {
    violations.Add("highlight_duration_seconds",
                   "must be at least 1: the length wanted in seconds");
  } else if (request.highlight_duration_seconds() == 0 && !may_pick) {
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

void CheckPlainBody(const Message& request, Violations& violations) {
  const FieldDescriptor* const arm = ArmOf(request);
  if (arm == nullptr || RoleOf(arm) != v1::FIELD_ROLE_BODY) return;
  const auto* const reflection = request.GetReflection();
  Keys taken;
  if (arm->message_type() != nullptr) {
    for (std::string& key : json::KnownKeys(arm->message_type())) taken.insert(std::move(key));
  } else {
    std::string scratch;
    const std::string& text = reflection->GetStringReference(request, arm, &scratch);
    json::Outline body;  // of the text
    if (CheckRawValue(arm->name(), text, json::Type::kObject, violations, &body)) {
      const auto* const allow = FieldsOf(request.GetDescriptor()).allow_unknown_fields;
      CheckRawBody(arm->name(), body,
                   reflection->GetBool(request, allow) ? nullptr : TypedBeside(arm), violations);
    }
    AddKeys(body, taken);
  }
  if (const FieldDescriptor* const extra = request.GetDescriptor()->FindFieldByName("extra_json")) {
    CheckClashes(reflection->GetString(request, extra), taken, violations);
  }
}

}  // namespace gateway::pictory
