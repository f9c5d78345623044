#include "pictory/template_calls.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/path_table.h"
#include "pictory/raw_check.h"
#include "pictory/reading.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr char kTemplates[] = "/v1/templates";
constexpr char kShownBy[] = "ListTemplates";

FreeCall AboutTemplate(const char* method, std::string_view template_id) {
  FreeCall call;
  call.method = method;
  call.path = absl::StrCat(kTemplates, "/", PercentEncode(template_id));
  return call;
}

template <class Response>
absl::StatusOr<Response> ReadOne(std::string_view body) {
  Response response;
  const absl::StatusOr<json::ReadStats> read =
      json::Read(body, response.mutable_info(), FreeReading());
  if (!read.ok()) return Unreadable("template", std::string(read.status().message()));
  if (response.info().template_id().empty()) return Unreadable("template", "no templateId");
  KeepWhole(body, *response.mutable_template_json(), response);
  return response;
}

}  // namespace

void CheckTemplate(const v1::CreateTemplateRequest& request, Violations& violations) {
  if (request.project_file().empty()) {
    violations.Add("project_file", "is required: the bytes of a .pictai file");
  }
}

void CheckTemplateUpdate(const v1::UpdateTemplateRequest& request, Violations& violations) {
  if (request.scenes_json().empty()) {
    violations.Add("scenes_json", "is required");
    return;
  }
  // The text becomes a part of a body, so it must be JSON that means the same to every reader.
  if (!CheckRawValue("scenes_json", request.scenes_json(), json::Type::kArray, violations)) return;
  if (IsEmptyArray(request.scenes_json())) violations.Add("scenes_json", "must not be empty");
}

FreeCall CreateTemplateCall(const v1::CreateTemplateRequest& request) {
  FreeCall call;
  call.method = "POST";
  call.path = kTemplates;
  call.body = std::make_shared<const std::string>(request.project_file());
  call.content_type = "application/octet-stream";
  call.max_reply_bytes = limits::kFreeReplyMaxBytes;
  call.shown_by = kShownBy;
  return call;
}

FreeCall UpdateTemplateCall(const v1::UpdateTemplateRequest& request) {
  FreeCall call = AboutTemplate("PUT", request.template_id());
  call.body =
      std::make_shared<const std::string>(absl::StrCat("{\"scenes\":", request.scenes_json(), "}"));
  return call;
}

FreeCall ListTemplatesCall() {
  FreeCall call;
  call.path = kTemplates;
  call.max_reply_bytes = limits::kFreeReplyMaxBytes;
  return call;
}

FreeCall GetTemplateCall(std::string_view template_id) {
  FreeCall call = AboutTemplate("GET", template_id);
  call.max_reply_bytes = limits::kFreeReplyMaxBytes;
  return call;
}

FreeCall DeleteTemplateCall(std::string_view template_id) {
  FreeCall call = AboutTemplate("DELETE", template_id);
  call.shown_by = kShownBy;
  return call;
}

absl::StatusOr<v1::ListTemplatesResponse> ReadTemplates(std::string_view body) {
  constexpr std::string_view kWhat = "list of templates";
  static const auto* const kCaptured = new json::PathTable({"items"});
  json::ReadOptions options = FreeReading();
  options.capture = kCaptured;
  v1::ListTemplatesResponse all;
  const absl::StatusOr<json::ReadStats> read = json::Read(body, &all, options);
  if (!read.ok()) return Unreadable(kWhat, std::string(read.status().message()));
  if (read->captured[0].type != json::Type::kArray) return Unreadable(kWhat, "no items");
  std::size_t bytes = 0;
  int kept = 0;
  for (const v1::Template& one : all.templates()) {
    bytes += one.ByteSizeLong();
    if (kept == limits::kTemplatesMax || bytes > limits::kListAnswerMaxBytes) break;
    ++kept;
  }
  const int omitted = all.templates_size() - kept;
  all.mutable_templates()->DeleteSubrange(kept, omitted);
  all.set_omitted_templates(omitted);
  return all;
}

absl::StatusOr<v1::CreateTemplateResponse> ReadNewTemplate(std::string_view body) {
  absl::StatusOr<v1::CreateTemplateResponse> made = ReadOne<v1::CreateTemplateResponse>(body);
  if (made.ok()) return made;
  return errors::UpstreamUnknown(std::string(made.status().message()), kShownBy);
}

absl::StatusOr<v1::GetTemplateResponse> ReadTemplate(std::string_view body) {
  return ReadOne<v1::GetTemplateResponse>(body);
}

}  // namespace gateway::pictory
