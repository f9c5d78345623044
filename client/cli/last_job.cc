#include "last_job.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/ids.h"
#include "name_hash.h"

namespace pictory_jobs::cli {
namespace {

namespace fs = std::filesystem;

// An absolute path of a variable, or an empty one: the specification says that others do not count.
fs::path FolderOf(const char* variable) {
  const char* const value = std::getenv(variable);
  const fs::path path = value == nullptr ? "" : value;
  return path.is_absolute() ? path : fs::path();
}

fs::path StateFolder() {
  if (const fs::path state = FolderOf("XDG_STATE_HOME"); !state.empty()) return state / "pictory";
  const fs::path home = FolderOf("HOME");
  return home.empty() ? home : home / ".local" / "state" / "pictory";
}

fs::path FileOf(const std::string& server) {
  const fs::path folder = StateFolder();
  return folder.empty() ? folder : folder / ("last-" + NameHash(server));
}

}  // namespace

void RememberLastJob(const std::string& server, const std::string& job_id) {
  const fs::path file = FileOf(server);
  if (file.empty() || !gateway::IsUpstreamId(job_id)) return;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::string beside = file.string() + ".XXXXXX";  // made for nobody else to read
  const int fd = mkstemp(beside.data());
  if (fd < 0) return;
  const std::string text = job_id + "\n" + server + "\n";
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (written) fs::rename(beside, file, error);
  if (!written || error) fs::remove(beside, error);
}

std::optional<std::string> LastJob(const std::string& server) {
  const fs::path file = FileOf(server);
  std::ifstream in(file);
  std::string job_id, whose;
  if (file.empty() || !std::getline(in, job_id) || !std::getline(in, whose)) return std::nullopt;
  if (whose != server || !gateway::IsUpstreamId(job_id)) return std::nullopt;
  return job_id;
}

}  // namespace pictory_jobs::cli
