#include "store/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "store/file_error.h"

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

std::string HolderOf(int fd) {
  char text[32];
  const ssize_t got = pread(fd, text, sizeof(text), 0);
  std::string pid;
  for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; ++i) pid += text[i];
  return pid.empty() ? "another process" : absl::StrCat("process ", pid);
}

absl::Status WritePid(int fd, const std::string& path) {
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return FileError(errno, "write", path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateLock>> StateLock::Take(const std::string& directory) {
  if (directory.empty()) return absl::InvalidArgumentError("No state directory is set (--state-dir)");
  // Without its trailing slash, which would make the last directory its own parent.
  std::filesystem::path folder = std::filesystem::path(directory).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (absl::Status made = MakeDirectory(folder); !made.ok()) return made;

  const std::string path = (folder / "jobs.lock").string();
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(errno, "write", path);
  std::unique_ptr<StateLock> lock(new StateLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError(errno, "lock", path);
    return absl::FailedPreconditionError(
        absl::StrCat("The state directory ", folder.string(), " is in use by ", HolderOf(fd),
                     "; stop it, or set another --state-dir"));
  }
  if (absl::Status written = WritePid(fd, path); !written.ok()) return written;
  return lock;
}

StateLock::~StateLock() { close(fd_); }

absl::Status CreatePrivateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(errno, "write", path);
  close(fd);
  return absl::OkStatus();
}

}  // namespace gateway::store
