#include "base/own_file.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/file_error.h"

namespace gateway {
namespace {

absl::Status Refuse(const std::string& path, const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat(path, " ", why));
}

bool IsOwn(const struct stat& info) { return info.st_uid == geteuid() || info.st_uid == 0; }

std::string NameOf(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? absl::StrCat("user ", user)
                          : absl::StrCat("user ", user, " (", found->pw_name, ")");
}

absl::Status Foreign(const std::string& path, const struct stat& info) {
  return Refuse(path, absl::StrCat("belongs to ", NameOf(info.st_uid), ", and the gateway runs as ",
                                   NameOf(geteuid()),
                                   "; run it as that user, or chown the state directory and all "
                                   "that is in it once nobody else can have changed it"));
}

absl::Status CheckFile(const std::string& path, const struct stat& info) {
  if (S_ISLNK(info.st_mode)) {
    return Refuse(path,
                  "is a symbolic link, and what it leads to would be written to; put the file "
                  "itself there, or remove the link");
  }
  if (!S_ISREG(info.st_mode)) return Refuse(path, "is not a regular file; remove or rename it");
  if (!IsOwn(info)) return Foreign(path, info);
  if ((info.st_mode & S_IWOTH) != 0) {
    return Refuse(path,
                  "can be written by everybody; see that nobody has, then run chmod o-w on it");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOwnDirectory(const std::string& path) {
  struct stat info{};
  for (const auto look : {&lstat, &stat}) {  // the link itself, if it is one; what it leads to
    if (look(path.c_str(), &info) != 0) {
      return errno == ENOENT ? absl::OkStatus() : FileError(errno, "look at", path);
    }
    if (!IsOwn(info)) return Foreign(path, info);
  }
  if (!S_ISDIR(info.st_mode)) return FileError(ENOTDIR, "use", path);
  if ((info.st_mode & S_IWOTH) != 0) {
    return Refuse(path,
                  "can be written by everybody, who could replace what was paid for; see that "
                  "nobody has, then run chmod o-w on it, or set another --state-dir");
  }
  return absl::OkStatus();
}

absl::Status CheckOwnFile(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0) return CheckFile(path, info);
  return errno == ENOENT ? absl::OkStatus() : FileError(errno, "look at", path);
}

absl::StatusOr<int> OpenOwnFile(const std::string& path, int flags) {
  // Whatever the name leads to by then, opening it changes nothing (no O_TRUNC), waits for nobody
  // (a pipe), and goes through no link.
  const int fd = open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  const int error = errno;
  if (fd < 0) {
    if (absl::Status fit = CheckOwnFile(path); !fit.ok() && error != ENOENT) return fit;
    return FileError(error, (flags & O_ACCMODE) == O_RDONLY ? "read" : "write", path);
  }
  struct stat info{};
  absl::Status fit =
      fstat(fd, &info) == 0 ? CheckFile(path, info) : FileError(errno, "look at", path);
  if (fit.ok()) return fd;
  close(fd);
  return fit;
}

absl::StatusOr<int> CreateOwnFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(errno, "replace", path);
  return OpenOwnFile(path, O_RDWR | O_CREAT | O_EXCL);
}

absl::Status ReplaceOwnFile(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  const absl::StatusOr<int> file = CreateOwnFile(beside);
  if (!file.ok()) return file.status();
  const bool written =
      write(*file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fsync(*file) == 0;
  const int error = errno;
  close(*file);
  if (!written) return FileError(error, "write", beside);
  if (rename(beside.c_str(), path.c_str()) != 0) return FileError(errno, "write", path);
  return FlushDirectory(std::filesystem::path(path).parent_path().string());
}

absl::Status FlushDirectory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = directory >= 0 && fsync(directory) == 0;
  const int error = errno;
  if (directory >= 0) close(directory);
  return flushed ? absl::OkStatus() : FileError(error, "flush", path);
}

bool OthersMayRead(const struct stat& info) {
  const bool by_group = info.st_uid == 0 && geteuid() != 0;
  return (info.st_mode & (by_group ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO)) != 0;
}

}  // namespace gateway
