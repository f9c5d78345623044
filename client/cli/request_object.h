// These functions read Pictory's own JSON bodies by what the .proto says of them: into the fields
// of a submit's request, or only for members that are not known. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace pictory_jobs::cli {

// `text` has passed CheckJson and is an object; `name` is the file's, for errors. Every mistake is
// told, each on its own line. Keys that are not known are refused, unless the request allows them:
// then they go into `extra_json`.
absl::Status ReadObject(const std::string& text, const std::string& name,
                        google::protobuf::Message& request);

// Ok if all members of Pictory's v2 storyboard are known, at every depth, so that a file of many
// submits is refused before the first of them is paid. `text` is any text. One for Pictory's v1, by
// the members that only v1 has, is left to the gateway, and so is all else that can be wrong.
absl::Status CheckStoryboard(const std::string& text, const std::string& name);

}  // namespace pictory_jobs::cli
