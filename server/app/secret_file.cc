#include "app/secret_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gateway::app {
namespace {

constexpr std::size_t kLineMaxBytes = 4096;

}  // namespace

absl::StatusOr<Secret> ReadSecretFile(std::string_view flag, const std::string& path) {
  const auto refuse = [&](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(flag), ": ", why...));
  };
  if (path.rfind("pictai_", 0) == 0)
    return refuse("names a file, and this looks like a key itself");
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return refuse("cannot read ", path, ": ", std::strerror(errno));
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return refuse(path, " can be read by others; run chmod 600 on it");
  }
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (line.empty()) return refuse(path, " holds nothing on its first line");
  if (line.size() > kLineMaxBytes) return refuse("the first line of ", path, " is too long");
  return Secret(std::move(line));
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
