// CheckMessage makes the checks that hold for every message of a submit, whatever it means: no
// unknown fields, numbers that are sent as they were given, safe URLs, good JSON in fields of JSON
// text. It walks the message
// by reflection. Pure.
#pragma once

#include <string>

#include "google/protobuf/message.h"
#include "pictory/translate.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// `path` is that of `message`: empty for the request itself.
void CheckMessage(const google::protobuf::Message& message, const Path& path,
                  const TranslateOptions& options, Violations& violations);

}  // namespace gateway::pictory
