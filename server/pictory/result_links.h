// These functions keep URLs out of a result's fields that no caller may be given as a link
// (IsLink in pictory/url_rules.h). They stand in RESULT_JSON all the same. Pure.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"

namespace gateway::pictory {

// Clears such fields of `result`. Returns whether there was one.
bool ClearBadLinks(google::protobuf::Message& result, bool allow_loopback);

// Whether the wire bytes of a `result` have such a field.
bool HasBadLink(std::string_view wire, const google::protobuf::Descriptor* result,
                bool allow_loopback);

}  // namespace gateway::pictory
