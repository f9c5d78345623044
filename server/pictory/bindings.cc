#include "pictory/bindings.h"

#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

const v1::JobMethod& Declared(const google::protobuf::MethodDescriptor* method) {
  return method->options().GetExtension(v1::job_method);
}

}  // namespace

const google::protobuf::MethodDescriptor* SubmitOf(const google::protobuf::Descriptor* request) {
  const google::protobuf::ServiceDescriptor* const service =
      v1::CreatePreviewRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
    const google::protobuf::MethodDescriptor* const method = service->method(i);
    if (method->input_type() == request && method->options().HasExtension(v1::job_method)) {
      return method;
    }
  }
  return nullptr;
}

const v1::RestBinding* FindBinding(const google::protobuf::MethodDescriptor* method,
                                   std::string_view arm, v1::PathVersion version) {
  for (const v1::RestBinding& binding : Declared(method).bindings()) {
    if (binding.version() == version && binding.arm() == arm) return &binding;
  }
  return nullptr;
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
  const auto found = options.versions.find(static_cast<v1::JobKind>(Declared(method).kind()));
  return found == options.versions.end() ? v1::PATH_VERSION_V2 : found->second;
}

v1::FieldRole RoleOf(const google::protobuf::FieldDescriptor* field) {
  return field->options().GetExtension(v1::rest).role();
}

}  // namespace gateway::pictory
