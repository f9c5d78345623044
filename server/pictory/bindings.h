// The REST bindings that the service declares, looked up by request message.
//
// Reads method options: not from static initialisers (see json/proto_plan.h). Thread-safe.
#pragma once

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

// nullptr if the arm has no REST call under that version.
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

::pictory::jobs::v1::PathVersion VersionFor(const google::protobuf::MethodDescriptor* method,
                                            const TranslateOptions& options);

::pictory::jobs::v1::FieldRole RoleOf(const google::protobuf::FieldDescriptor* field);

}  // namespace gateway::pictory
