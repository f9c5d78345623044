#include "app/secret_file.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/own_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gateway::app {
namespace {

struct OpenFile {
  explicit OpenFile(const std::string& path) : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd >= 0) close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  const int fd;
};

// Reads from a pipe as from a file, and no more than one byte beyond the longest line.
bool ReadFirstLine(int fd, std::string& line) {
  char buffer[limits::kSecretLineMaxBytes + 1];
  while (line.size() <= limits::kSecretLineMaxBytes) {
    const ssize_t got = read(fd, buffer, sizeof buffer - line.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    line.append(buffer, static_cast<std::size_t>(got));
    const std::size_t end = line.find('\n');
    if (end != std::string::npos) line.resize(end);
    if (got == 0 || end != std::string::npos) return true;
  }
  return true;
}

}  // namespace

absl::StatusOr<Secret> ReadSecretFile(std::string_view flag, const std::string& path) {
  const auto refuse = [&](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(flag), ": ", why...));
  };
  if (path.rfind("pictai_", 0) == 0)
    return refuse("names a file, and this looks like a key itself");
  // The file is opened once, so that the one that is checked is the one that is read, even if the
  // name is given to another file meanwhile.
  const OpenFile file(path);
  struct stat info{};
  if (file.fd < 0 || fstat(file.fd, &info) != 0) {
    return refuse("cannot read ", path, ": ", std::strerror(errno));
  }
  if (OthersMayRead(info)) return refuse(path, " can be read by others; run chmod 600 on it");
  std::string line;
  if (!ReadFirstLine(file.fd, line))
    return refuse("cannot read ", path, ": ", std::strerror(errno));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (line.empty()) return refuse(path, " holds nothing on its first line");
  if (line.size() > limits::kSecretLineMaxBytes)
    return refuse("the first line of ", path, " is too long");
  if (absl::Status status = CheckVisible(absl::StrCat("the first line of ", path), line);
      !status.ok()) {
    return refuse(std::string(status.message()));
  }
  return Secret(std::move(line));
}

absl::Status CheckVisible(std::string_view name, std::string_view value) {
  if (std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      std::string(name), " has a space, or another character that no credential of Pictory's has"));
}

absl::StatusOr<Secret> FindSecret(const SecretSource& source, const std::string& path,
                                  const Variables& variables) {
  const auto variable = variables.find(std::string(source.variable));
  if (path.empty()) return Secret(variable == variables.end() ? "" : variable->second);
  if (variable == variables.end()) return ReadSecretFile(source.flag, path);
  return absl::InvalidArgumentError(absl::StrCat(std::string(source.flag), ": ",
                                                 std::string(source.variable),
                                                 " is set, too; keep one of them"));
}

}  // namespace gateway::app
