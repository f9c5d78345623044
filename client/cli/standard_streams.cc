#include "standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pictory_jobs::cli {
namespace {

// The size of one job's answer as text or JSON, without results.
constexpr off_t kShortAnswerBytes = 4096;

int WhyNoRoom(int fd, const struct stat& about, int flags) {
  const off_t end = (flags & O_APPEND) != 0 ? about.st_size : lseek(fd, 0, SEEK_CUR);
  if (end < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, end, kShortAnswerBytes) == 0) return 0;
  switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EPERM:
      return errno;
    default:
      return 0;  // most often a file system that cannot reserve
  }
}

}  // namespace

void PrepareStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The placeholder gets the lowest free number, which is this stream's: those below it are taken
    // by now.
    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file larger than `ulimit -f`
}

int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int WhyUnwritable(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  struct stat about{};
  if (flags == -1 || fstat(fd, &about) != 0) return errno;
  if ((flags & O_ACCMODE) == O_RDONLY) return EBADF;
  if (S_ISREG(about.st_mode)) return WhyNoRoom(fd, about, flags);
  // A device such as /dev/full refuses even a write of nothing.
  if (S_ISCHR(about.st_mode)) return write(fd, "", 0) < 0 && errno != EAGAIN ? errno : 0;
  pollfd reader{fd, POLLOUT, 0};
  const bool gone = poll(&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0;
  return gone ? EPIPE : 0;
}

int Settle(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy == -1) return errno;
  return close(copy) == 0 || errno == EINTR ? 0 : errno;
}

}  // namespace pictory_jobs::cli
