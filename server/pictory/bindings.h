// These functions look up, by request message, the REST bindings that the service declares.
//
// They read method options, so they must not be called from static initialisers (see
// json/proto_plan.h). They are thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/translate.h"

namespace gateway::pictory {

// The method that takes this message; nullptr if it is not one of the submits.
const google::protobuf::MethodDescriptor* SubmitOf(const google::protobuf::Descriptor* request);

// PictoryJobs.
const google::protobuf::ServiceDescriptor* JobsService();

// The submits among a service's methods, in the order of their declaration.
std::vector<const google::protobuf::MethodDescriptor*> SubmitsOf(
    const google::protobuf::ServiceDescriptor* service);

::pictory::jobs::v1::JobKind KindMadeBy(const google::protobuf::MethodDescriptor* submit);
// The submit of PictoryJobs that makes jobs of this kind; there is one for each kind.
const google::protobuf::MethodDescriptor* SubmitMaking(::pictory::jobs::v1::JobKind kind);

// The fields that every submit has: `string request_id`, `map<string, string> labels`, `bool
// allow_unknown_fields` and `string notify_url`.
struct SubmitFields {
  const google::protobuf::FieldDescriptor* request_id = nullptr;
  const google::protobuf::FieldDescriptor* labels = nullptr;
  const google::protobuf::FieldDescriptor* allow_unknown_fields = nullptr;
  const google::protobuf::FieldDescriptor* notify_url = nullptr;
  // The bool by which the submit waits for the job that it names (`rest.waits`); null if it has
  // none.
  const google::protobuf::FieldDescriptor* waits = nullptr;
};
SubmitFields FieldsOf(const google::protobuf::Descriptor* request);

// What a submit's method and the options of its request say, read once.
struct SubmitPlan {
  const google::protobuf::MethodDescriptor* method = nullptr;
  SubmitFields fields;
  std::vector<const google::protobuf::FieldDescriptor*> required;
  std::vector<const google::protobuf::FieldDescriptor*> path;  // parameters of paths
  std::vector<const google::protobuf::FieldDescriptor*> jobs;  // of those, what names a job
};
// The plan of a request; nullptr if it is not the request of a submit. The plan lives as long as
// the process; so must the descriptor.
const SubmitPlan* SubmitPlanOf(const google::protobuf::Descriptor* request);

std::map<std::string, std::string> LabelsOf(const google::protobuf::Message& request,
                                            const google::protobuf::FieldDescriptor* labels);

// The `notify_url` of a submit; empty if it names none, or is no submit.
std::string NotifyUrlOf(const google::protobuf::Message& request);

// The binding of an arm; nullptr if the arm has no REST call under that version.
const ::pictory::jobs::v1::RestBinding* FindBinding(
    const google::protobuf::MethodDescriptor* method, std::string_view arm,
    ::pictory::jobs::v1::PathVersion version);

// The `source` oneof of a request; nullptr if it has none.
const google::protobuf::OneofDescriptor* SourceOf(const google::protobuf::Descriptor* request);

// The arm that is set; nullptr if none is, or there is no oneof.
const google::protobuf::FieldDescriptor* ArmOf(const google::protobuf::Message& request);

// Arms that have a REST call under `version`.
std::vector<std::string> ArmsUnder(const google::protobuf::MethodDescriptor* method,
                                   ::pictory::jobs::v1::PathVersion version);

// The API versions that have a call for the submit.
std::set<::pictory::jobs::v1::PathVersion> VersionsOf(
    const google::protobuf::MethodDescriptor* submit);

// The API version whose calls a submit uses: the configured one, or the only one that it has.
::pictory::jobs::v1::PathVersion VersionFor(const google::protobuf::MethodDescriptor* method,
                                            const TranslateOptions& options);

const ::pictory::jobs::v1::FieldMapping& MappingOf(const google::protobuf::FieldDescriptor* field);
::pictory::jobs::v1::FieldRole RoleOf(const google::protobuf::FieldDescriptor* field);

// Whether a field of a request or a result holds URLs, which its name shows.
bool HoldsUrl(const google::protobuf::FieldDescriptor* field);

}  // namespace gateway::pictory
