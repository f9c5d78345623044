#include "app/tenants_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
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

}  // namespace

absl::StatusOr<TenantsRead> ReadTenants(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWhole(path, limits::kTenantsFileMaxBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<tenants::Tenants> parsed = tenants::ParseTenants(*text, path);
  if (!parsed.ok()) return parsed.status();
  TenantsRead read;
  read.file = tenants::Sha256Of(*text);
  std::unique_ptr<const tenants::JwtVerifier> jwt;
  if (parsed->jwt.has_value()) {
    const absl::StatusOr<std::string> key_set =
        ReadWhole(parsed->jwt->jwks_file, limits::kJwksMaxBytes);
    if (!key_set.ok()) return key_set.status();
    auto made = tenants::JwtVerifier::Make(*parsed->jwt, *key_set);
    if (!made.ok()) return made.status();
    jwt = *std::move(made);
    read.key_set = tenants::Sha256Of(*key_set);
  }
  read.directory = std::make_shared<const tenants::Directory>(*std::move(parsed), std::move(jwt));
  return read;
}

TenantsWatch::TenantsWatch(std::string path, TenantsRead present,
                           std::function<absl::Status(tenants::DirectoryPtr)> replaced,
                           const Clock& clock, Timers& timers)
    : path_(std::move(path)),
      replaced_(std::move(replaced)),
      clock_(clock),
      present_(std::move(present)),
      next_(timers) {
  Again();
}

void TenantsWatch::Again() {
  next_.At(clock_.Now() + limits::kSecretLookInterval, [this] {
    Look();
    Again();
  });
}

// Whether the files say what they said, without making anything of it.
bool TenantsWatch::IsPresent() const {
  const absl::StatusOr<std::string> text = ReadWhole(path_, limits::kTenantsFileMaxBytes);
  if (!text.ok() || tenants::Sha256Of(*text) != present_.file) return false;
  const auto& rules = present_.directory->tenants().jwt;
  if (!rules.has_value()) return true;
  const absl::StatusOr<std::string> key_set = ReadWhole(rules->jwks_file, limits::kJwksMaxBytes);
  return key_set.ok() && tenants::Sha256Of(*key_set) == present_.key_set;
}

TenantsWatch::Found TenantsWatch::Look() {
  MutexLock lock(mutex_);
  if (IsPresent()) {
    Note("");
    return Found::kSame;
  }
  absl::StatusOr<TenantsRead> read = ReadTenants(path_);
  const absl::Status usable = read.ok() ? replaced_(read->directory) : read.status();
  Note(std::string(usable.message()));
  if (!usable.ok()) return Found::kUnusable;
  present_ = *std::move(read);
  const tenants::Tenants& now = present_.directory->tenants();
  std::int64_t keys = 0;
  for (const auto& [name, tenant] : now.tenants)
    keys += static_cast<std::int64_t>(tenant.keys.size());
  Log(Level::kInfo, "tenants_replaced",
      {{"file", path_},
       {"tenants", static_cast<std::int64_t>(now.tenants.size())},
       {"accounts", static_cast<std::int64_t>(now.accounts.size())},
       {"keys", keys}});
  return Found::kReplaced;
}

void TenantsWatch::Note(const std::string& trouble) {
  if (std::exchange(trouble_, trouble) == trouble) return;
  if (trouble.empty()) return Log(Level::kInfo, "tenants_readable", {{"file", path_}});
  Log(Level::kError, "tenants_kept",
      {{"reason", trouble},
       {"advice",
        "the tenants read before stay as they are; put the file right, it is read again every few "
        "seconds"}});
}

}  // namespace gateway::app
