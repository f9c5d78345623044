// CheckFreeValue checks a free value (json/free_value.h) of a request. Pure.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Finds numbers that would not be sent as they were given, and a Value that is not what `expected`
// says. `raw` names the field that carries the same as JSON text, for who needs more. How deep and
// how large a free value is has been seen before it was parsed.
void CheckFreeValue(const Path& path, const google::protobuf::Message& value,
                    ::pictory::jobs::v1::JsonType expected, std::string_view raw,
                    Violations& violations);

}  // namespace gateway::pictory
