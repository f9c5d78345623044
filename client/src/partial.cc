#include "partial.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace pictory_jobs {
namespace {

constexpr std::size_t kNameBytes = 8;
constexpr mode_t kMode = 0666;  // and what the umask leaves of it

// Whether the name still leads to the file that is open: it may have been renamed or removed.
bool IsNamed(int fd, const std::string& path) {
  struct stat open{}, named{};
  return fstat(fd, &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

}  // namespace

Partial::Partial(const std::string& wanted) : path_(wanted) {
  while (true) {
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (fd_ < 0) return;  // who writes to it says why
    const bool taken = flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && IsNamed(fd_, path_)) return;
    close(fd_);
    if (!taken) continue;
    is_own_ = true;
    path_ = absl::StrCat(wanted, ".", gateway::RandomHex(kNameBytes), ".part");
  }
}

Partial::~Partial() {
  std::error_code ignored;
  if (is_own_) std::filesystem::remove(path_, ignored);
  if (fd_ >= 0) close(fd_);
}

void Partial::Empty() const {
  std::error_code ignored;
  std::filesystem::resize_file(path_, 0, ignored);
}

}  // namespace pictory_jobs
