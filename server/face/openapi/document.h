// WriteDocument writes the OpenAPI 3.1 document of a service, as the .proto declares it over HTTP:
// paths, parameters, bodies, answers, and as descriptions the comments of the .proto. Pure.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace gateway::face {

// The descriptors must hold the source info, which has the comments.
std::string WriteDocument(const google::protobuf::ServiceDescriptor& service,
                          std::string_view version);

}  // namespace gateway::face
