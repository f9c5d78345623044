// Reads Pictory's JSON objects for a transcription and a summary into their requests. Pure.
//
// `text` has passed CheckJson; `name` is the file's, for errors. Every mistake is told, each on its
// own line. Keys that are not known are refused, unless the request allows them: then they go into
// `extra_json`.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

absl::Status ReadTranscribe(const std::string& text, const std::string& name,
                            TranscribeRequest& request);
// Also takes a bare transcript array.
absl::Status ReadSummarize(const std::string& text, const std::string& name,
                           SummarizeRequest& request);

}  // namespace pictory_jobs::cli
