#include "store/room.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/file_error.h"
#include "base/own_file.h"

namespace gateway::store {
namespace {

// None if the file system does not tell.
std::optional<std::int64_t> FreeBytes(const std::string& directory) {
  struct statvfs info{};
  if (statvfs(directory.c_str(), &info) != 0 || info.f_blocks == 0) return std::nullopt;
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

std::string MiB(std::int64_t bytes) {
  constexpr auto kOne = static_cast<std::int64_t>(limits::kMiB);
  return absl::StrCat(
      bytes / kOne, bytes < 100 * kOne ? absl::StrCat(".", bytes % kOne * 10 / kOne) : "", " MiB");
}

absl::Status NoRoom(int error, const std::string& directory, std::int64_t bytes) {
  const std::optional<std::int64_t> free = FreeBytes(directory);
  return absl::ResourceExhaustedError(absl::StrCat(
      "There is no room in ", directory, ": ", MiB(bytes), " are needed, ",
      free.has_value() ? absl::StrCat(MiB(*free), " are free") : "how much is free is not known",
      " (", std::strerror(error), "). ",
      error == EFBIG ? "Raise the limit on the size of files (ulimit -f)"
                     : "Free some space there, but remove none of its jobs.* files, or make the "
                       "volume larger"));
}

}  // namespace

absl::Status CheckRoom(const std::string& directory, std::int64_t bytes) {
  const std::string path = (std::filesystem::path(directory) / "jobs.room").string();
  const absl::StatusOr<int> created = CreateOwnFile(path);
  if (absl::IsResourceExhausted(created.status())) return NoRoom(ENOSPC, directory, bytes);
  if (!created.ok()) return created.status();
  const int fd = *created;
  unlink(path.c_str());
  int failed = 0;
  do {
    failed = fallocate(fd, 0, 0, bytes) == 0 ? 0 : errno;
  } while (failed == EINTR);
  close(fd);
  switch (failed) {
    case 0:
      return absl::OkStatus();
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return NoRoom(failed, directory, bytes);
    default:
      break;  // it cannot take room beforehand
  }
  const std::optional<std::int64_t> free = FreeBytes(directory);
  return free.has_value() && *free < bytes ? NoRoom(ENOSPC, directory, bytes) : absl::OkStatus();
}

}  // namespace gateway::store
