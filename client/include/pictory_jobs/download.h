// A Download brings a finished video from its URL into a file, or wherever its bytes are wanted:
//
//   pictory_jobs::Download download;
//   download.url = job.render().video_url();
//   download.path = "video.mp4";
//   absl::Status status = pictory_jobs::FetchFile(download);
//
// It is PictoryJobs::download in CMake, which needs libcurl; the rest of the library does not.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pictory_jobs {

// Whether a URL that a gateway has named may be asked: https, or, if that gateway is on this
// machine, http to this machine (the sandbox). Else a stranger's word could aim this program at
// whatever listens here.
bool MayAsk(const std::string& url, bool gateway_is_here);
// Whether `server`, as --server names it, is on this machine.
bool IsHere(const std::string& server);

// What a video may have at most by default: more than any render, less than most disks.
inline constexpr std::int64_t kDownloadMaxMib = 64 * 1024;

struct Download {
  std::string url;
  bool gateway_is_here = false;      // the one that named the URL
  std::string ca_file;               // authorities to trust instead of the system's
  std::chrono::seconds silence{60};  // without a byte for so long it is given up
  std::int64_t max_bytes = kDownloadMaxMib << 20;
  std::string path;  // what it becomes, by renaming, once it is complete
  // The file's path until then; empty is the path with `.part` after it. It is kept on failure and
  // continued the next time, if the server says by an ETag or Last-Modified that it still has the
  // same version; else it is begun anew. A file beside it tells which version it is of. While one
  // download writes to it, another of the same name gets a file of its own, which nothing
  // continues.
  std::string partial;
  std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>
      progress;  // total 0: unknown
  std::stop_token stop;
  // For StreamFile, which has no path: takes the bytes in order; false ends it.
  std::function<bool(std::string_view bytes)> sink;
};

// Whether so many more bytes have room where `path` is; RESOURCE_EXHAUSTED if not.
absl::Status CheckRoom(const std::string& path, std::int64_t bytes);
// The error for a file that is longer than max_bytes.
absl::Status TooLong(const Download& download);

// Blocks. CANCELLED by `stop`; UNAVAILABLE where another attempt may help; INVALID_ARGUMENT for a
// URL that is not allowed or a file that cannot be written; else what the server said.
absl::Status FetchFile(const Download& download);
// The same into `sink`, from the beginning and once.
absl::Status StreamFile(const Download& download);

}  // namespace pictory_jobs
