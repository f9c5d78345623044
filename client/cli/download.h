// A Download brings a finished video from its URL into a file, or wherever its bytes are wanted.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pictory_jobs::cli {

// Whether a URL may be fetched: https, or http to this machine (the sandbox).
bool MayDownload(const std::string& url);

struct Download {
  std::string url;
  std::string path;  // what it becomes, by renaming, once it is complete
  // The file's path until then. It is kept on failure and continued the next time, unless the
  // server has another version by then. A file beside it tells which version it is of.
  std::string partial;
  std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>
      progress;  // total 0: unknown
  std::stop_token stop;
  // For StreamFile, which has no path: takes the bytes in order; false ends it.
  std::function<bool(std::string_view bytes)> sink;
};

// Blocks. CANCELLED by `stop`; UNAVAILABLE where another attempt may help; INVALID_ARGUMENT for a
// URL that is not allowed or a file that cannot be written; else what the server said.
absl::Status FetchFile(const Download& download);
// The same into `sink`, from the beginning and once.
absl::Status StreamFile(const Download& download);

}  // namespace pictory_jobs::cli
