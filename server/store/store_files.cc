#include "store/store_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_error.h"
#include "store/open_mark.h"

namespace gateway::store {
namespace {

absl::Status Gone(const std::string& what, const std::string& how) {
  return absl::FailedPreconditionError(absl::StrCat(
      what, " ", how, " while it was in use; what is stored now would not be found again"));
}

absl::Status Foreign(const std::string& name, const std::string& how) {
  return absl::DataLossError(absl::StrCat(name, " ", how, " by somebody else while it was in use"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreFiles>> StoreFiles::Hold(const std::string& directory,
                                                             int lock_fd) {
  std::unique_ptr<StoreFiles> files(new StoreFiles(directory));
  if (absl::Status held = files->HoldFile("", O_PATH | O_DIRECTORY); !held.ok()) return held;
  if (absl::Status held = files->HoldFile("jobs.lock", O_PATH); !held.ok()) return held;
  File& lock = files->files_[kLock];
  struct stat locked{};
  if (fstat(lock_fd, &locked) != 0) return FileError(errno, "look at", lock.path);
  lock.device = locked.st_dev;
  lock.number = locked.st_ino;
  if (absl::Status held = files->HoldFile("jobs.db", O_PATH); !held.ok()) return held;
  return files;
}

StoreFiles::~StoreFiles() {
  for (const File& file : files_) close(file.fd);
}

absl::Status StoreFiles::HoldFile(const std::string& name, int flags) {
  File file{.name = name, .path = (std::filesystem::path(directory_) / name).string()};
  file.fd = open(file.path.c_str(), flags | O_CLOEXEC);
  if (file.fd < 0) return FileError(errno, "open", file.path);
  files_.push_back(file);
  struct stat info{};
  if (fstat(file.fd, &info) != 0) return FileError(errno, "look at", file.path);
  files_.back().device = info.st_dev;
  files_.back().number = info.st_ino;
  return absl::OkStatus();
}

absl::StatusOr<LogHeader> StoreFiles::HoldLog() {
  // An ordinary descriptor costs no lock here: SQLite locks jobs.db and the index only.
  if (absl::Status held = HoldFile("jobs.db-wal", O_RDONLY); !held.ok()) return held;
  if (absl::Status held = HoldFile("jobs.db-shm", O_PATH); !held.ok()) return held;
  const std::optional<LogHeader> header = ReadLogHeader(files_[kLog].fd);
  if (!header.has_value()) return Foreign("jobs.db-wal", "was emptied or overwritten");
  log_ = *header;
  return log_;
}

absl::Status StoreFiles::HoldMark() {
  if (absl::Status held = HoldFile(kOpenMarkName, O_PATH); !held.ok()) return held;
  NoteCommit();
  NoteCheckpoint();
  return Check();
}

absl::Status StoreFiles::Check() {
  for (const File& file : files_) {
    if (lost_.ok()) lost_ = CheckFile(file);
  }
  return lost_;
}

absl::Status StoreFiles::CheckAtCommit() {
  if (!lost_.ok()) return lost_;
  for (const Place place : {kLock, kDatabase, kLog}) {
    // A check of all files says best what has happened.
    if (absl::Status lost = CheckFile(files_[place]); !lost.ok()) {
      if (Check().ok()) lost_ = lost;
      return lost_;
    }
  }
  return absl::OkStatus();
}

absl::Status StoreFiles::CheckFile(const File& file) {
  struct stat info{};
  if (stat(file.path.c_str(), &info) != 0) return Missed(file, errno);
  if (info.st_dev != file.device || info.st_ino != file.number) return Missed(file, 0);
  if (&file == &files_[kDatabase] && !IsAsLeft(info)) return Foreign(file.name, "was written to");
  if (&file == &files_[kLog] && !LogGoesOn(info.st_size)) {
    return Foreign(file.name, "was emptied or overwritten");
  }
  return absl::OkStatus();
}

// The error for a file whose name does not lead to it. `error` is the errno of looking for the
// name; 0 if the name leads to another file.
absl::Status StoreFiles::Missed(const File& file, int error) const {
  const std::string what = file.name.empty() ? "The directory of the jobs" : file.name;
  if (error == ENOENT || error == ENOTDIR) return Gone(what, "was removed or renamed");
  if (error != 0) {
    return Gone(what, absl::StrCat("can no longer be looked at (", std::strerror(error), ")"));
  }
  const bool holds_jobs = &file == &files_[kDatabase] || &file == &files_[kLog];
  return holds_jobs ? Foreign(what, "was replaced") : Gone(what, "was replaced by another one");
}

bool StoreFiles::IsAsLeft(const struct stat& info) const {
  return info.st_size == bytes_ && info.st_mtim.tv_sec == written_.tv_sec &&
         info.st_mtim.tv_nsec == written_.tv_nsec;
}

bool StoreFiles::DatabaseIsUntouched() const {
  struct stat info{};
  return fstat(files_[kDatabase].fd, &info) == 0 && IsAsLeft(info);
}

bool StoreFiles::LogGoesOn(off_t bytes) {
  const std::optional<LogHeader> now = ReadLogHeader(files_[kLog].fd);
  if (!now.has_value() || !Continues(log_, *now) || bytes < log_bytes_) return false;
  log_ = *now;
  return true;
}

void StoreFiles::NoteCommit() {
  struct stat info{};
  if (fstat(files_[kLog].fd, &info) == 0) log_bytes_ = info.st_size;
}

void StoreFiles::NoteCheckpoint() {
  struct stat info{};
  if (fstat(files_[kDatabase].fd, &info) != 0) return;
  bytes_ = info.st_size;
  written_ = info.st_mtim;
}

}  // namespace gateway::store
