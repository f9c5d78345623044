#include "base/own_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_error.h"
#include "base/own_file.h"

namespace gateway {

OwnLock::OwnLock(int file)
    : file_(new int(file), [](const int* descriptor) {
        close(*descriptor);
        delete descriptor;
      }) {}

absl::StatusOr<OwnLock> OwnLock::Take(const std::string& path) { return Take(path, LOCK_EX); }

absl::StatusOr<OwnLock> OwnLock::TryTake(const std::string& path) {
  return Take(path, LOCK_EX | LOCK_NB);
}

absl::StatusOr<OwnLock> OwnLock::Take(const std::string& path, int flags) {
  const absl::StatusOr<int> file = OpenOwnFile(path, O_RDWR | O_CREAT);
  if (!file.ok()) return file.status();
  OwnLock lock(*file);
  while (flock(*file, flags) != 0) {
    if (errno == EWOULDBLOCK) return absl::AbortedError("somebody else has the lock");
    if (errno != EINTR) return FileError(errno, "lock", path);
  }
  return lock;
}

}  // namespace gateway
