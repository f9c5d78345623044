#include "admin/webhook_seal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/own_file.h"
#include "base/random.h"

namespace gateway::admin {
namespace {

constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kMacDigits = 2 * kMacBytes;

class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

absl::Status Failed(const char* what, const std::filesystem::path& file) {
  return absl::InternalError(absl::StrCat("cannot ", what, " the webhook key ", file.string(), ": ",
                                          std::strerror(errno)));
}

absl::StatusOr<Secret> Read(const std::filesystem::path& path, const File& file) {
  struct stat info{};
  if (::fstat(file.fd(), &info) != 0) return Failed("read", path);
  // The group may: Kubernetes gives all files of a pod's volume to it.
  if ((info.st_mode & S_IRWXO) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the webhook key ", path.string(),
        " can be read by others; run chmod 600 on it, or remove "
        "it to have a new one made (the webhooks of running jobs are then turned away)"));
  }
  std::array<char, limits::kWebhookKeyBytes + 1> bytes{};
  const ssize_t got = ::pread(file.fd(), bytes.data(), bytes.size(), 0);
  if (got < 0) return Failed("read", path);
  if (got != static_cast<ssize_t>(limits::kWebhookKeyBytes)) {
    return absl::DataLossError(absl::StrCat("the webhook key ", path.string(),
                                            " is damaged: it must have ", limits::kWebhookKeyBytes,
                                            " bytes; remove it to have a new one made"));
  }
  return Secret(std::string(bytes.data(), limits::kWebhookKeyBytes));
}

// Writes the key so that it is whole under its name or not there at all, whenever the power fails.
absl::Status Write(const std::filesystem::path& path, const Secret& key) {
  const std::filesystem::path beside = path.string() + ".new";
  ::unlink(beside.c_str());
  {
    const File file(beside, O_WRONLY | O_CREAT | O_EXCL);
    const std::string& bytes = key.Reveal();
    if (!file.ok() ||
        ::write(file.fd(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fsync(file.fd()) != 0) {
      return Failed("write", beside);
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return Failed("write", path);
  const File directory(path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (!directory.ok() || ::fsync(directory.fd()) != 0) return Failed("write", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WebhookSeal> WebhookSeal::FromFile(const std::filesystem::path& path) {
  if (absl::Status own = CheckOwnFile(path.string()); !own.ok()) return own;
  const File file(path, O_RDONLY | O_NOFOLLOW);
  if (file.ok()) {
    absl::StatusOr<Secret> key = Read(path, file);
    if (!key.ok()) return key.status();
    return WebhookSeal(*std::move(key));
  }
  if (errno != ENOENT) return Failed("read", path);
  Secret key(RandomBytes(limits::kWebhookKeyBytes));
  if (absl::Status written = Write(path, key); !written.ok()) return written;
  return WebhookSeal(std::move(key));
}

std::string WebhookSeal::Mac(std::string_view token) const {
  std::array<unsigned char, kMacBytes> mac{};
  const std::string& key = key_.Reveal();
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(),
           nullptr) == nullptr) {
    std::abort();  // an empty MAC would let everybody in
  }
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(kMacDigits);
  for (const unsigned char byte : mac) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

std::string WebhookSeal::Seal(std::string_view token) const {
  return absl::StrCat(std::string(token), ".", Mac(token));
}

std::optional<std::string_view> WebhookSeal::Open(std::string_view segment) const {
  if (segment.size() <= kMacDigits + 1) return std::nullopt;
  const std::size_t dot = segment.size() - kMacDigits - 1;
  const std::string_view token = segment.substr(0, dot);
  if (segment[dot] != '.' || token.size() > limits::kCallerIdMaxBytes) return std::nullopt;
  if (!Secret::ConstantTimeEquals(Mac(token), segment.substr(dot + 1))) return std::nullopt;
  return token;
}

}  // namespace gateway::admin
