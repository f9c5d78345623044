#include "pictory/translate.h"

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/proto_writer.h"
#include "json/splice.h"
#include "json/writer.h"
#include "pictory/bindings.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsSet(const Message& message, const FieldDescriptor* field) {
  return !message.GetReflection()->GetString(message, field).empty();
}

// The members of the request's own SPLICE field, without braces.
absl::StatusOr<std::string> ExtraMembers(const Message& request) {
  const auto* descriptor = request.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    if (RoleOf(field) != v1::FIELD_ROLE_SPLICE || !IsSet(request, field)) continue;
    const std::string& extra = request.GetReflection()->GetString(request, field);
    const absl::StatusOr<std::string_view> members = json::Members(extra);
    if (!members.ok()) return members.status();
    return std::string(*members);
  }
  return std::string();
}

// A Body is the body before our own keys, and the members that the request still wants in it. A
// BODY arm is the body; otherwise the request itself is, and writing it has spliced its extras in
// already.
struct Body {
  std::string json;
  std::string members;
};

absl::StatusOr<Body> MakeBody(const Message& request, const FieldDescriptor* arm) {
  Body body;
  if (arm == nullptr || RoleOf(arm) != v1::FIELD_ROLE_BODY) {
    const absl::Status written = json::WriteMessage(request, body.json);
    if (!written.ok()) return written;
    return body;
  }
  if (arm->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    body.json = request.GetReflection()->GetString(request, arm);
  } else {
    const absl::Status written =
        json::WriteMessage(request.GetReflection()->GetMessage(request, arm), body.json);
    if (!written.ok()) return written;
  }
  absl::StatusOr<std::string> extra = ExtraMembers(request);
  if (!extra.ok()) return extra.status();
  body.members = *std::move(extra);
  return body;
}

// The same request with what the referenced job made in place of the job.
absl::StatusOr<std::unique_ptr<Message>> Inlined(const Message& request, const std::string& field,
                                                 std::string_view part) {
  const FieldDescriptor* const target = request.GetDescriptor()->FindFieldByName(field);
  if (target == nullptr || part.empty()) {
    return errors::Internal(
        absl::StrCat("nothing to put into ", field, " of ", request.GetTypeName()));
  }
  std::unique_ptr<Message> copy(request.New());
  copy->CopyFrom(request);
  copy->GetReflection()->SetString(copy.get(), target, std::string(part));
  return copy;
}

absl::StatusOr<std::shared_ptr<const std::string>> Join(Body body, const FieldDescriptor* arm) {
  if (!body.members.empty()) {
    absl::StatusOr<std::string> spliced = json::Splice(body.json, body.members);
    if (!spliced.ok()) return spliced.status();
    body.json = *std::move(spliced);
  }
  if (body.json.size() > limits::kRequestMaxBytes) {
    return errors::Invalid(std::string(arm == nullptr ? "" : arm->name()),
                           absl::StrCat("makes a body of ", body.json.size(), " bytes; at most ",
                                        limits::kRequestMaxBytes, " are sent to Pictory"));
  }
  return std::make_shared<const std::string>(std::move(body.json));
}

void AppendWebhook(std::string_view url, std::string& members) {
  if (url.empty()) return;
  if (!members.empty()) members += ',';
  members += "\"webhook\":";
  json::AppendString(members, url);
}

// `/v2/video/render/{preview_job_id}` with its parameters put in.
absl::StatusOr<std::string> MakePath(const Message& request, std::string_view pattern,
                                     std::string_view referenced_pictory_id) {
  std::string path;
  for (std::string_view rest = pattern;;) {
    const std::size_t open = rest.find('{');
    path.append(rest.substr(0, open));
    if (open == std::string_view::npos) return path;
    const std::size_t close = rest.find('}', open);
    const std::string name(rest.substr(open + 1, close - open - 1));
    const FieldDescriptor* const field = request.GetDescriptor()->FindFieldByName(name);
    if (close == std::string_view::npos || field == nullptr) {
      return errors::Internal("a REST path names no field: " + std::string(pattern));
    }
    const std::string value = MappingOf(field).job_kind() != 0
                                  ? std::string(referenced_pictory_id)
                                  : request.GetReflection()->GetString(request, field);
    if (value.empty()) return errors::Invalid(name, "must not be empty");
    path.append(PercentEncode(value));
    rest.remove_prefix(close + 1);
  }
}

}  // namespace

Reference ReferencedJob(const Message& request) {
  const SubmitPlan* const plan = SubmitPlanOf(request.GetDescriptor());
  if (plan == nullptr) return {};
  for (const FieldDescriptor* const field : plan->jobs) {
    if (!IsSet(request, field)) continue;
    return {std::string(field->name()), request.GetReflection()->GetString(request, field),
            static_cast<v1::JobKind>(MappingOf(field).job_kind())};
  }
  return {};
}

v1::ResultPart PartToInline(const Message& request, const TranslateOptions& options) {
  const google::protobuf::MethodDescriptor* const method = SubmitOf(request.GetDescriptor());
  const FieldDescriptor* const arm = ArmOf(request);
  if (method == nullptr || arm == nullptr) return v1::RESULT_PART_UNSPECIFIED;
  const v1::RestBinding* const binding =
      FindBinding(method, arm->name(), VersionFor(method, options));
  v1::ResultPart part = v1::RESULT_PART_UNSPECIFIED;
  if (binding == nullptr || binding->inline_as().empty()) return part;
  std::string name = "RESULT_PART_" + binding->inline_as();
  absl::AsciiStrToUpper(&name);
  return v1::ResultPart_Parse(name, &part) ? part : v1::RESULT_PART_UNSPECIFIED;
}

absl::StatusOr<Submission> Translate(const Message& request, std::string_view referenced_pictory_id,
                                     std::string_view webhook_url, const TranslateOptions& options,
                                     std::string_view inlined) {
  const google::protobuf::MethodDescriptor* const method = SubmitOf(request.GetDescriptor());
  if (method == nullptr) {
    return errors::Internal(absl::StrCat(request.GetTypeName(), " is no submit"));
  }
  const FieldDescriptor* const arm = ArmOf(request);
  const v1::RestBinding* const binding =
      FindBinding(method, arm == nullptr ? "" : arm->name(), VersionFor(method, options));
  if (binding == nullptr) {
    return errors::Invalid(std::string(arm == nullptr ? "source" : arm->name()),
                           "has no REST call under the configured version");
  }
  absl::StatusOr<std::string> path = MakePath(request, binding->path(), referenced_pictory_id);
  if (!path.ok()) return path.status();
  absl::StatusOr<Body> body = Body{};
  if (binding->inline_as().empty()) {
    body = MakeBody(request, arm);
  } else {
    const auto whole = Inlined(request, binding->inline_as(), inlined);
    if (!whole.ok()) return whole.status();
    body = MakeBody(**whole, ArmOf(**whole));
  }
  if (!body.ok()) return body.status();
  AppendWebhook(webhook_url, body->members);
  absl::StatusOr<std::shared_ptr<const std::string>> bytes = Join(*std::move(body), arm);
  if (!bytes.ok()) return bytes.status();
  Submission submission;
  submission.kind = KindMadeBy(method);
  submission.method = binding->method();
  submission.path = *std::move(path);
  submission.body = *std::move(bytes);
  return submission;
}

}  // namespace gateway::pictory
