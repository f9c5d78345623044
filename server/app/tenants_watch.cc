#include "app/tenants_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "obs/log.h"
#include "tenants/api_key.h"
#include "tenants/tenants_file.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

// Reads a file as a whole. It holds no secret, but whoever may write it decides who may call.
absl::StatusOr<std::string> ReadWhole(const std::string& path, std::size_t max_bytes) {
  const auto refuse = [&path](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", why...));
  };
  struct Open {
    ~Open() {
      if (fd >= 0) close(fd);
    }
    const int fd;
  } const file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info{};
  if (file.fd < 0 || fstat(file.fd, &info) != 0) return refuse(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return refuse("is no file");
  if ((info.st_mode & S_IWOTH) != 0) {
    return refuse("can be written by anybody; run chmod o-w on it");
  }
  std::string text;
  char buffer[16 * limits::kKiB];
  while (text.size() <= max_bytes) {
    const ssize_t got = read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(std::strerror(errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return refuse("is larger than ", max_bytes, " bytes");
}

// Reads the files' texts. Which file has the key set stands in the other one.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<FileTexts> Read() {
    absl::StatusOr<std::string> text = ReadWhole(path_, limits::kTenantsFileMaxBytes);
    if (!text.ok()) return text.status();
    if (const tenants::Sha256 digest = tenants::Sha256Of(*text); digest != digest_) {
      digest_ = digest;
      const absl::StatusOr<tenants::Tenants> parsed = tenants::ParseTenants(*text, path_);
      key_set_ = parsed.ok() && parsed->jwt.has_value() ? parsed->jwt->jwks_file : "";
    }
    FileTexts texts{*std::move(text)};
    if (key_set_.empty()) return texts;
    absl::StatusOr<std::string> key_set = ReadWhole(key_set_, limits::kJwksMaxBytes);
    if (!key_set.ok()) return key_set.status();
    texts.push_back(*std::move(key_set));
    return texts;
  }

  absl::StatusOr<tenants::DirectoryPtr> Make(const FileTexts& texts) const {
    absl::StatusOr<tenants::Tenants> parsed = tenants::ParseTenants(texts.front(), path_);
    if (!parsed.ok()) return parsed.status();
    std::unique_ptr<const tenants::JwtVerifier> jwt;
    if (parsed->jwt.has_value()) {
      auto made = tenants::JwtVerifier::Make(*parsed->jwt, texts.back());
      if (!made.ok()) return made.status();
      jwt = *std::move(made);
    }
    return std::make_shared<const tenants::Directory>(*std::move(parsed), std::move(jwt));
  }

 private:
  const std::string path_;
  tenants::Sha256 digest_{};  // of the file that names the key set
  std::string key_set_;       // empty: there is none
};

void LogReplaced(const std::string& path, const tenants::Tenants& now) {
  std::int64_t keys = 0;
  for (const auto& [name, tenant] : now.tenants)
    keys += static_cast<std::int64_t>(tenant.keys.size());
  Log(Level::kInfo, "tenants_replaced",
      {{"file", path},
       {"tenants", static_cast<std::int64_t>(now.tenants.size())},
       {"accounts", static_cast<std::int64_t>(now.accounts.size())},
       {"keys", keys}});
}

}  // namespace

absl::StatusOr<TenantsRead> ReadTenants(const std::string& path) {
  Reader reader(path);
  const absl::StatusOr<FileTexts> texts = reader.Read();
  if (!texts.ok()) return texts.status();
  absl::StatusOr<tenants::DirectoryPtr> directory = reader.Make(*texts);
  if (!directory.ok()) return directory.status();
  return TenantsRead{.directory = *std::move(directory), .digest = DigestOf(*texts)};
}

WatchedFiles WatchedTenants(const std::string& path,
                            std::function<absl::Status(tenants::DirectoryPtr)> replaced) {
  WatchedFiles files{
      .name = "tenants",
      .file = path,
      .advice =
          "the tenants read before stay as they are; put the file right, it is read again "
          "every few seconds"};
  const auto reader = std::make_shared<Reader>(path);
  files.read = [reader] { return reader->Read(); };
  files.make = [reader, path, replaced = std::move(replaced)](
                   const FileTexts& texts) -> absl::StatusOr<WatchedFiles::Use> {
    absl::StatusOr<tenants::DirectoryPtr> directory = reader->Make(texts);
    if (!directory.ok()) return directory.status();
    return [path, replaced, newer = *std::move(directory)] {
      absl::Status taken = replaced(newer);
      if (taken.ok()) LogReplaced(path, newer->tenants());
      return taken;
    };
  };
  return files;
}

}  // namespace gateway::app
