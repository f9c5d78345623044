// ReadObject reads Pictory's own JSON body into the fields of a submit's request, by what the
// .proto says of them. Pure.
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

}  // namespace pictory_jobs::cli
