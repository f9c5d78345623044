// A disk that goes bad, for a program started with LD_PRELOAD=libbad_disk.so: the n-th time it
// writes, flushes or reads a file of the store, the call fails, and so do those after it that are
// said to.
//
//   BAD_DISK=CALL:ERRNO:N:COUNT   CALL is pwrite, fdatasync, any (of these), all (pread, too) or
//                                 step (whatever changes a file, its length or its name);
//                                 COUNT calls fail from the N-th on. ERRNO 0: the process is killed
//   BAD_DISK_STALL_MS=MS          they do not fail: they take so long
//   BAD_DISK_DIR=PATH             counted are calls on files below it
//   BAD_DISK_ARMED=FILE           counted from when this file exists; unset: from the beginning
//   BAD_DISK_HIT=FILE             gets a line with the name of each call that fails, before it does
//
// SQLite's own calls go through the C library, which is why this is enough.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Plan {
  char call[16] = "";
  int error = 0;
  int from = 0;
  int count = 0;
  const char* dir = std::getenv("BAD_DISK_DIR");
  const char* armed = std::getenv("BAD_DISK_ARMED");
  const char* hit = std::getenv("BAD_DISK_HIT");
  const char* stall_ms = std::getenv("BAD_DISK_STALL_MS");

  Plan() {
    const char* text = std::getenv("BAD_DISK");
    if (text == nullptr ||
        std::sscanf(text, "%15[^:]:%d:%d:%d", call, &error, &from, &count) != 4) {
      dir = nullptr;
    }
  }

  bool Means(const char* name) const {
    const bool disk = std::strcmp(name, "pwrite") == 0 || std::strcmp(name, "fdatasync") == 0;
    const bool reads = std::strcmp(name, "pread") == 0;
    if (std::strcmp(call, "all") == 0) return disk || reads;
    if (std::strcmp(call, "any") == 0) return disk;
    if (std::strcmp(call, "step") == 0) return !reads;
    return std::strcmp(call, name) == 0;
  }
};

bool IsBelow(const char* path, const char* dir) {
  return std::strncmp(path, dir, std::strlen(dir)) == 0;
}

bool IsBelow(int fd, const char* dir) {
  char link[32], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return IsBelow(path, dir);
}

void Tell(const char* file, const char* call) {
  const int fd = open(file, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  dprintf(fd, "%s\n", call);
  close(fd);
}

const Plan& ThePlan() {
  static const Plan plan;
  return plan;
}

std::atomic<int> counted{0};

// Whether this call on a descriptor or a path is one of those that fail; sets errno if so.
template <class File>
bool Fails(const char* call, File file) {
  const Plan& plan = ThePlan();
  if (plan.dir == nullptr) return false;
  if (!plan.Means(call)) return false;
  if (!IsBelow(file, plan.dir)) return false;
  if (plan.armed != nullptr && access(plan.armed, F_OK) != 0) return false;
  const int number = ++counted;
  if (number < plan.from || number - plan.from >= plan.count) return false;
  if (plan.hit != nullptr) Tell(plan.hit, call);
  if (plan.stall_ms != nullptr) {
    usleep(static_cast<useconds_t>(std::atoi(plan.stall_ms)) * 1000);
    return false;
  }
  if (plan.error == 0) std::raise(SIGKILL);
  errno = plan.error;
  return true;
}

template <class Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

using PreadFunction = ssize_t (*)(int, void*, size_t, off64_t);
using PwriteFunction = ssize_t (*)(int, const void*, size_t, off64_t);
using SyncFunction = int (*)(int);
using WriteFunction = ssize_t (*)(int, const void*, size_t);
using TruncateFunction = int (*)(int, off64_t);
using UnlinkFunction = int (*)(const char*);
using RenameFunction = int (*)(const char*, const char*);

}  // namespace

extern "C" {

ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  static const auto real = Real<PreadFunction>("pread64");
  return Fails("pread", fd) ? -1 : real(fd, data, size, offset);
}

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return pread64(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  static const auto real = Real<PwriteFunction>("pwrite64");
  return Fails("pwrite", fd) ? -1 : real(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

int fdatasync(int fd) {
  static const auto real = Real<SyncFunction>("fdatasync");
  return Fails("fdatasync", fd) ? -1 : real(fd);
}

int fsync(int fd) {
  static const auto real = Real<SyncFunction>("fsync");
  return Fails("fdatasync", fd) ? -1 : real(fd);
}

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = Real<WriteFunction>("write");
  return Fails("write", fd) ? -1 : real(fd, data, size);
}

int ftruncate64(int fd, off64_t length) {
  static const auto real = Real<TruncateFunction>("ftruncate64");
  return Fails("ftruncate", fd) ? -1 : real(fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int unlink(const char* path) {
  static const auto real = Real<UnlinkFunction>("unlink");
  return Fails("unlink", path) ? -1 : real(path);
}

int rename(const char* from, const char* to) {
  static const auto real = Real<RenameFunction>("rename");
  return Fails("rename", from) ? -1 : real(from, to);
}

}  // extern "C"
