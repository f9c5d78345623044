#include "pictory/bindings.h"

#include <algorithm>
#include <memory>

#include "base/mutex.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

const v1::JobMethod& Declared(const google::protobuf::MethodDescriptor* method) {
  return method->options().GetExtension(v1::job_method);
}

bool IsSubmit(const google::protobuf::MethodDescriptor* method) {
  return method->options().HasExtension(v1::job_method);
}

const google::protobuf::MethodDescriptor* FindSubmit(const google::protobuf::Descriptor* request) {
  const google::protobuf::FileDescriptor* const file = request->file();
  for (int i = 0; i < file->service_count(); ++i) {
    for (int m = 0; m < file->service(i)->method_count(); ++m) {
      const google::protobuf::MethodDescriptor* const method = file->service(i)->method(m);
      if (method->input_type() == request && IsSubmit(method)) return method;
    }
  }
  return nullptr;
}

std::unique_ptr<const SubmitPlan> Compile(const google::protobuf::Descriptor* request) {
  auto plan = std::make_unique<SubmitPlan>();
  plan->method = FindSubmit(request);
  if (plan->method == nullptr) return nullptr;
  plan->fields = FieldsOf(request);
  for (int i = 0; i < request->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = request->field(i);
    const v1::FieldMapping& mapping = MappingOf(field);
    if (mapping.required()) plan->required.push_back(field);
    if (mapping.role() == v1::FIELD_ROLE_PATH) plan->path.push_back(field);
    if (mapping.job_kind() != 0) plan->jobs.push_back(field);
  }
  return plan;
}

}  // namespace

const SubmitPlan* SubmitPlanOf(const google::protobuf::Descriptor* request) {
  struct Shared {
    Mutex mutex;
    std::map<const google::protobuf::Descriptor*, std::unique_ptr<const SubmitPlan>> plans
        GUARDED_BY(mutex);
  };
  static auto* const shared = new Shared;
  const MutexLock lock(shared->mutex);
  const auto [at, fresh] = shared->plans.try_emplace(request);
  if (fresh) at->second = Compile(request);
  return at->second.get();
}

const google::protobuf::MethodDescriptor* SubmitOf(const google::protobuf::Descriptor* request) {
  const SubmitPlan* const plan = SubmitPlanOf(request);
  return plan == nullptr ? nullptr : plan->method;
}

std::vector<const google::protobuf::MethodDescriptor*> SubmitsOf(
    const google::protobuf::ServiceDescriptor* service) {
  std::vector<const google::protobuf::MethodDescriptor*> submits;
  for (int i = 0; i < service->method_count(); ++i) {
    if (IsSubmit(service->method(i))) submits.push_back(service->method(i));
  }
  return submits;
}

v1::JobKind KindMadeBy(const google::protobuf::MethodDescriptor* submit) {
  return static_cast<v1::JobKind>(Declared(submit).kind());
}

const v1::RestBinding* FindBinding(const google::protobuf::MethodDescriptor* method,
                                   std::string_view arm, v1::PathVersion version) {
  for (const v1::RestBinding& binding : Declared(method).bindings()) {
    if (binding.version() == version && binding.arm() == arm) return &binding;
  }
  return nullptr;
}

const google::protobuf::ServiceDescriptor* JobsService() {
  return v1::CreatePreviewRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
}

const google::protobuf::MethodDescriptor* SubmitMaking(v1::JobKind kind) {
  for (const google::protobuf::MethodDescriptor* submit : SubmitsOf(JobsService())) {
    if (KindMadeBy(submit) == kind) return submit;
  }
  return nullptr;
}

SubmitFields FieldsOf(const google::protobuf::Descriptor* request) {
  SubmitFields fields{.request_id = request->FindFieldByName("request_id"),
                      .labels = request->FindFieldByName("labels"),
                      .allow_unknown_fields = request->FindFieldByName("allow_unknown_fields"),
                      .notify_url = request->FindFieldByName("notify_url")};
  for (int i = 0; i < request->field_count(); ++i) {
    if (MappingOf(request->field(i)).waits()) fields.waits = request->field(i);
  }
  return fields;
}

std::string NotifyUrlOf(const google::protobuf::Message& request) {
  const SubmitPlan* const plan = SubmitPlanOf(request.GetDescriptor());
  if (plan == nullptr || plan->fields.notify_url == nullptr) return "";
  return request.GetReflection()->GetString(request, plan->fields.notify_url);
}

std::map<std::string, std::string> LabelsOf(const google::protobuf::Message& request,
                                            const google::protobuf::FieldDescriptor* labels) {
  std::map<std::string, std::string> found;
  const auto* const reflection = request.GetReflection();
  const int count = reflection->FieldSize(request, labels);
  for (int i = 0; i < count; ++i) {
    const google::protobuf::Message& entry = reflection->GetRepeatedMessage(request, labels, i);
    const auto text = [&entry](const google::protobuf::FieldDescriptor* field) {
      return entry.GetReflection()->GetString(entry, field);
    };
    found[text(labels->message_type()->map_key())] = text(labels->message_type()->map_value());
  }
  return found;
}

const google::protobuf::OneofDescriptor* SourceOf(const google::protobuf::Descriptor* request) {
  return request->FindOneofByName("source");
}

const google::protobuf::FieldDescriptor* ArmOf(const google::protobuf::Message& request) {
  const google::protobuf::OneofDescriptor* const source = SourceOf(request.GetDescriptor());
  if (source == nullptr) return nullptr;
  return request.GetReflection()->GetOneofFieldDescriptor(request, source);
}

std::vector<std::string> ArmsUnder(const google::protobuf::MethodDescriptor* method,
                                   v1::PathVersion version) {
  std::vector<std::string> arms;
  for (const v1::RestBinding& binding : Declared(method).bindings()) {
    if (binding.version() == version) arms.push_back(binding.arm());
  }
  return arms;
}

v1::PathVersion VersionFor(const google::protobuf::MethodDescriptor* method,
                           const TranslateOptions& options) {
  const auto found = options.versions.find(KindMadeBy(method));
  const v1::PathVersion asked =
      found == options.versions.end() ? v1::PATH_VERSION_V2 : found->second;
  const auto& bindings = Declared(method).bindings();
  const bool has_it = std::any_of(bindings.begin(), bindings.end(), [asked](const auto& binding) {
    return binding.version() == asked;
  });
  return has_it || bindings.empty() ? asked : bindings.begin()->version();
}

std::set<v1::PathVersion> VersionsOf(const google::protobuf::MethodDescriptor* submit) {
  std::set<v1::PathVersion> versions;
  for (const v1::RestBinding& binding : Declared(submit).bindings()) {
    versions.insert(binding.version());
  }
  return versions;
}

const v1::FieldMapping& MappingOf(const google::protobuf::FieldDescriptor* field) {
  return field->options().GetExtension(v1::rest);
}

v1::FieldRole RoleOf(const google::protobuf::FieldDescriptor* field) {
  return MappingOf(field).role();
}

bool HoldsUrl(const google::protobuf::FieldDescriptor* field) {
  const std::string_view name = field->name();
  return name == "url" || name.ends_with("_url") || name.ends_with("_urls");
}

}  // namespace gateway::pictory
