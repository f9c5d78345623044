#include "store/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_error.h"
#include "base/own_file.h"
#include "base/utc_text.h"

namespace gateway::store {
namespace {

absl::Status MakeDirectory(const std::filesystem::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? absl::OkStatus() : FileError(ENOTDIR, "use", path.string());
  }
  if (path.has_parent_path() && path.parent_path() != path) {
    if (absl::Status made = MakeDirectory(path.parent_path()); !made.ok()) return made;
  }
  // Another process may create it meanwhile; whether it is a directory shows when it is used.
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileError(errno, "create", path.string());
  }
  return absl::OkStatus();
}

// What the file says: the holder's process id, since when it has the lock, and its host's name, a
// line. A container's process id means something in that container only, so the host is told, too.
std::string HolderOf(int fd) {
  char text[512];
  const ssize_t got = pread(fd, text, sizeof(text), 0);
  const std::string line(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::vector<std::string> words =
      absl::StrSplit(line.substr(0, line.find('\n')), ' ', absl::SkipEmpty());
  const bool pid = !words.empty() && std::all_of(words[0].begin(), words[0].end(),
                                                 [](char c) { return c >= '0' && c <= '9'; });
  if (!pid) return "another process";
  const auto usual = [](char c) { return c > ' ' && c <= '~'; };
  std::string holder = absl::StrCat("process ", words[0]);
  for (std::size_t i = 1; i < words.size() && i < 3; ++i) {
    if (!std::all_of(words[i].begin(), words[i].end(), usual)) return holder;
    absl::StrAppend(&holder, i == 1 ? " since " : " on host ", words[i]);
  }
  return holder;
}

absl::Status WriteHolder(int fd, const std::string& path) {
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  const std::string since = UtcText(std::time(nullptr)) + "Z";
  const std::string holder = absl::StrCat(getpid(), " ", since, " ", host, "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, holder.data(), holder.size(), 0) < 0) {
    return FileError(errno, "write", path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateLock>> StateLock::Take(const std::string& directory) {
  if (directory.empty())
    return absl::InvalidArgumentError("No state directory is set (--state-dir)");
  // The trailing slash is removed; it would make the last directory its own parent.
  std::filesystem::path folder = std::filesystem::path(directory).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (absl::Status made = MakeDirectory(folder); !made.ok()) return made;
  if (absl::Status own = CheckOwnDirectory(folder.string()); !own.ok()) return own;

  const std::string path = (folder / "jobs.lock").string();
  const absl::StatusOr<int> opened = OpenOwnFile(path, O_RDWR | O_CREAT);
  if (!opened.ok()) return opened.status();
  const int fd = *opened;
  std::unique_ptr<StateLock> lock(new StateLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError(errno, "lock", path);
    return absl::FailedPreconditionError(absl::StrCat("The state directory ", folder.string(),
                                                      " is in use by ", HolderOf(fd),
                                                      "; stop it, or set another --state-dir"));
  }
  if (absl::Status written = WriteHolder(fd, path); !written.ok()) return written;
  return lock;
}

StateLock::~StateLock() { close(fd_); }

absl::Status CreatePrivateFile(const std::string& path) {
  const absl::StatusOr<int> fd = OpenOwnFile(path, O_RDWR | O_CREAT);
  if (!fd.ok()) return fd.status();
  close(*fd);
  return absl::OkStatus();
}

}  // namespace gateway::store
