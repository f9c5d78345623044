// An Upload sends a local file to the URL it was given: one PUT, repeated and continued until the
// file is whole there.
//
// The URL is signed, which makes it a secret: nothing here prints it or puts it into an error.
// Nothing but Content-Type is sent along, above all no credential. Redirects are not followed.
// Proxies are those that libcurl's usual variables name, but none to this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pictory_jobs/options.h"

namespace pictory_jobs::cli {

// Attempts in a row that bring nothing new, and all of one upload.
inline constexpr int kUploadFruitlessMax = 6;
inline constexpr int kUploadAttemptsMax = 50;

// A LocalFile is a regular file with something in it, open for reading. It stays the file that was
// opened, also if another takes its name; a change of the file itself is noticed.
class LocalFile {
 public:
  // INVALID_ARGUMENT, naming the file: missing, unreadable, no regular file, empty or larger than
  // one upload may be. Of a `speech` file also an extension that is not of those transcribed; of
  // others one that tells no content type, unless `content_type` does.
  static absl::StatusOr<LocalFile> Open(const std::string& path, bool speech,
                                        const std::string& content_type = "");
  ~LocalFile();
  LocalFile(LocalFile&& other) noexcept;
  LocalFile(const LocalFile&) = delete;
  LocalFile& operator=(const LocalFile&) = delete;
  LocalFile& operator=(LocalFile&&) = delete;

  const std::string& path() const { return path_; }
  const std::string& name() const { return name_; }  // without folders
  const std::string& content_type() const { return content_type_; }
  std::int64_t size() const { return size_; }

  // Bytes from `offset` on into `out`; less than `count` only at the end, -1 if unreadable.
  std::int64_t Read(std::int64_t offset, char* out, std::int64_t count) const;
  // Whether it is still as it was when it was opened.
  bool Unchanged() const;

 private:
  LocalFile() = default;
  int fd_ = -1;
  std::string path_;
  std::string name_;
  std::string content_type_;
  std::int64_t size_ = 0;
  std::int64_t changed_ns_ = 0;
};

struct Upload {
  const LocalFile* file = nullptr;
  std::string url;
  bool gateway_is_here = false;  // the one that named the URL
  std::string ca_file;           // authorities to trust instead of the system's
  std::string content_type;
  std::function<void(std::int64_t done_bytes)> progress;  // may fall, where all begins anew
  std::function<void(const std::string&)> retrying;       // why, in words
  Pacing pacing = Pacing::Real();
  std::optional<std::chrono::milliseconds> timeout;  // of the whole
  std::stop_token stop;
};

// Blocks. CANCELLED by `stop`; DEADLINE_EXCEEDED by `timeout`; INVALID_ARGUMENT for a URL that is
// not allowed or a file that changed; UNAVAILABLE if the attempts did not suffice; else what the
// store said.
absl::Status SendFile(const Upload& upload);

}  // namespace pictory_jobs::cli
