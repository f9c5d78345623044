// Validate checks submits: what they share, then what the kind of job asks for. It also checks
// the requests that make no job and whose fields are Pictory's.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/ids.h"
#include "base/limits.h"
#include "pictory/bindings.h"
#include "pictory/kinds.h"
#include "pictory/message_check.h"
#include "pictory/preview_update.h"
#include "pictory/request_rules.h"
#include "pictory/translate.h"
#include "pictory/upload.h"
#include "pictory/violations.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void CheckCommon(const Message& request, const SubmitFields& fields, Violations& violations) {
  const auto* const reflection = request.GetReflection();
  std::string scratch;
  const std::string& request_id =
      reflection->GetStringReference(request, fields.request_id, &scratch);
  if (!request_id.empty() && !IsRequestId(request_id)) {
    violations.Add("request_id", absl::StrCat("must be 1 to ", limits::kRequestIdMaxBytes,
                                              " characters of A-Z, a-z, 0-9, _ and -"));
  }
  if (LabelsOf(request, fields.labels).contains("")) {
    violations.Add("labels[]", "has an empty key");
  }
}

// Checks that a source is chosen, and that the configured API version has a call for it.
void CheckSource(const Message& request, const google::protobuf::MethodDescriptor* method,
                 const TranslateOptions& options, Violations& violations) {
  const google::protobuf::OneofDescriptor* const source = SourceOf(request.GetDescriptor());
  const v1::PathVersion version = VersionFor(method, options);
  const FieldDescriptor* const arm = ArmOf(request);
  const auto arms = [&] { return absl::StrJoin(ArmsUnder(method, version), ", "); };
  if (source != nullptr && arm == nullptr) {
    violations.Add("source", absl::StrCat("is required: set one of ", arms()));
    return;
  }
  const std::string name(arm == nullptr ? "" : arm->name());
  if (FindBinding(method, name, version) == nullptr) {
    violations.Add(name, absl::StrCat("is not possible with Pictory's ",
                                      version == v1::PATH_VERSION_V1 ? "v1" : "v2",
                                      " API, which this server uses for it; use one of ", arms()));
  }
}

// Checks the id of a job or project that goes into the path.
void CheckPathId(const std::string& field, const std::string& id, Violations& violations) {
  if (!IsUpstreamId(id)) violations.Add(field, kUpstreamIdRule);
}

// Checks what the options of the fields ask of them.
void CheckFields(const Message& request, const SubmitPlan& plan, Violations& violations) {
  const auto* const reflection = request.GetReflection();
  std::string scratch;
  for (const FieldDescriptor* const field : plan.path) {
    if (field->real_containing_oneof() != nullptr && !reflection->HasField(request, field))
      continue;
    CheckPathId(std::string(field->name()),
                reflection->GetStringReference(request, field, &scratch), violations);
  }
  for (const FieldDescriptor* const field : plan.required) {
    if (reflection->GetStringReference(request, field, &scratch).empty()) {
      violations.Add(std::string(field->name()), "is required");
    }
  }
  const FieldDescriptor* const waits = plan.fields.waits;
  if (waits != nullptr && reflection->GetBool(request, waits) &&
      ReferencedJob(request).job_id.empty()) {
    violations.Add(waits->name(), absl::StrCat("goes with ", plan.jobs.front()->name(),
                                               " only: no other source has to be waited for"));
  }
}

void CheckSubmit(const Message& request, const SubmitPlan& plan, const TranslateOptions& options,
                 Violations& violations) {
  CheckCommon(request, plan.fields, violations);
  CheckSource(request, plan.method, options, violations);
  CheckFields(request, plan, violations);
  const KindFacts& kind = FactsOf(KindMadeBy(plan.method));
  if (kind.check != nullptr) {
    kind.check(request, options, violations);
  } else {
    CheckPlainBody(request, violations);
  }
}

}  // namespace

std::vector<errors::Violation> Validate(const Message& request, const TranslateOptions& options) {
  Violations violations;
  CheckMessage(request, "", options, violations);
  if (const SubmitPlan* const plan = SubmitPlanOf(request.GetDescriptor())) {
    CheckSubmit(request, *plan, options, violations);
  } else if (const auto* upload = dynamic_cast<const v1::CreateUploadRequest*>(&request)) {
    CheckUpload(*upload, violations);
  } else if (const auto* update = dynamic_cast<const v1::UpdatePreviewRequest*>(&request)) {
    CheckPreviewUpdate(*update, violations);
  } else {
    violations.Add("", absl::StrCat(request.GetTypeName(), " is no submit"));
  }
  return violations.Take();
}

}  // namespace gateway::pictory
