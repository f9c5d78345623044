// From a command line and its files to the request of a submit. Pure but for the Files it is given.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "invocation.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// Where files come from. `read` takes `-` for stdin; its errors name the file.
struct Files {
  std::function<bool(const std::string& path)> exists;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read;

  // The machine's own; a file may have 16 MiB, what the gateway takes.
  static Files Real();
};

using SubmitRequest =
    std::variant<CreatePreviewRequest, RenderRequest, TranscribeRequest, SummarizeRequest>;

// Whether the source of a transcription is a media file to upload first, by its name; BuildRequest
// leaves file_url empty then.
bool UploadsFirst(const Invocation& invocation);

// Labels, flags and source; not the request_id where none is given. Bodies of previews, renders and
// transcripts keep the bytes of their files. Errors are for the person who typed: several lines
// where several things are wrong.
absl::StatusOr<SubmitRequest> BuildRequest(const Invocation& invocation, const Files& files);

}  // namespace pictory_jobs::cli
