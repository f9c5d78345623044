#include "store/open_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_error.h"
#include "base/own_file.h"
#include "store/schema.h"

namespace gateway::store {
namespace {

constexpr char kNoLog[] = "none";  // in the place of a log

constexpr char kHead[] =
    "# A gateway has jobs.db open, or was killed. Whoever removes this file lets the next start "
    "forget\n"
    "# what was paid for: see \"The state directory\" in server/docs/operations.md.\n";

std::string PathOf(const std::string& directory, const char* name) {
  return (std::filesystem::path(directory) / name).string();
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// What follows `key` and "=" in `line`; none if the line begins with another key.
std::optional<std::string> ValueOf(const std::string& line, const std::string& key) {
  if (line.rfind(key + "=", 0) != 0) return std::nullopt;
  return line.substr(key.size() + 1);
}

bool IsEmptyOrMissing(const std::string& path) {
  std::error_code failed;  // any other failure is SQLite's to tell
  const auto bytes = std::filesystem::file_size(path, failed);
  return failed ? failed == std::errc::no_such_file_or_directory : bytes == 0;
}

absl::Status Refuse(const std::string& what, const std::string& directory,
                    const std::string& way_out) {
  return absl::FailedPreconditionError(
      absl::StrCat(what,
                   "; jobs that were submitted and paid for may be unknown here, and would be "
                   "paid for again. ",
                   way_out, " (", PathOf(directory, kOpenMarkName), ")"));
}

absl::Status LogOfNobody(const std::string& database, const std::string& log) {
  return absl::FailedPreconditionError(
      absl::StrCat(log, " is there, but no jobs.open that says that it belongs to ", database,
                   "; if it does not, jobs would be lost or mixed up. If jobs.db is a backup, or "
                   "is to be used as it is, "
                   "remove jobs.db-wal and jobs.db-shm. If both are as one gateway left them, move "
                   "the log into it: "
                   "sqlite3 ",
                   database, " 'PRAGMA wal_checkpoint(TRUNCATE)'"));
}

absl::Status CheckLog(const std::string& directory, const LogHeader& expected) {
  const std::string path = PathOf(directory, "jobs.db-wal");
  constexpr char kWayOut[] =
      "Put it back, from where it was moved or from a backup of the whole directory. If jobs.db "
      "was "
      "opened with sqlite3 since, that has moved the log into it and nothing is lost. To go on "
      "with "
      "jobs.db as it is, remove jobs.open, and jobs.db-wal and jobs.db-shm if they are there";
  const File file(path, O_RDONLY);
  if (file.fd() < 0) {
    if (errno != ENOENT) return FileError(errno, "read", path);
    return Refuse(absl::StrCat("The last gateway was killed, and its log ", path, " is gone"),
                  directory, kWayOut);
  }
  const std::optional<LogHeader> found = ReadLogHeader(file.fd());
  if (found.has_value() && Continues(expected, *found)) return absl::OkStatus();
  return Refuse(
      absl::StrCat("The last gateway was killed, and ", path,
                   found.has_value() ? " is the log of another time" : " is empty or no log"),
      directory, kWayOut);
}

}  // namespace

absl::StatusOr<std::optional<OpenMark>> ReadOpenMark(const std::string& directory) {
  const std::string path = PathOf(directory, kOpenMarkName);
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    return FileError(errno, "read", path);
  }
  OpenMark mark;
  bool has_epoch = false;
  bool has_log = false;
  for (std::string line; std::getline(file, line);) {
    if (const auto value = ValueOf(line, "epoch"))
      has_epoch = absl::SimpleAtoi(*value, &mark.epoch);
    if (const auto value = ValueOf(line, "log")) {
      mark.log = LogHeaderFrom(*value);
      has_log = mark.log.has_value() || *value == kNoLog;
    }
    if (const auto value = ValueOf(line, "numbered")) mark.numbered = *value == "1";
    if (const auto value = ValueOf(line, "damage")) mark.damage = *value;
  }
  if (!has_epoch || !has_log) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        " is damaged, so that nobody can tell whether jobs.db and jobs.db-wal beside it are "
        "complete; if they are as the last gateway left them, remove it"));
  }
  return mark;
}

absl::Status WriteOpenMark(const std::string& directory, const OpenMark& mark) {
  const std::string path = PathOf(directory, kOpenMarkName);
  const std::string text = absl::StrCat(
      kHead, "epoch=", mark.epoch, "\nlog=", mark.log.has_value() ? ToText(*mark.log) : kNoLog,
      "\n", mark.numbered ? "numbered=1\n" : "", mark.damage.empty() ? "" : "damage=", mark.damage,
      mark.damage.empty() ? "" : "\n");
  return ReplaceOwnFile(path, text);
}

absl::Status RemoveOpenMark(const std::string& directory) {
  const std::string path = PathOf(directory, kOpenMarkName);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(errno, "remove", path);
  return FlushDirectory(directory);
}

void RemoveOpenMarkWithoutLog(const std::string& directory) {
  // If this fails, the next start still has a mark that asks for nothing.
  if (IsEmptyOrMissing(PathOf(directory, "jobs.db-wal"))) RemoveOpenMark(directory).IgnoreError();
}

absl::Status CheckLeftovers(const std::string& directory, const std::optional<OpenMark>& mark) {
  const std::string database = PathOf(directory, "jobs.db");
  const std::string log = PathOf(directory, "jobs.db-wal");
  if (IsEmptyOrMissing(database)) {
    const bool first = !mark.has_value() || (mark->epoch == 0 && !mark->log.has_value());
    if (first && IsEmptyOrMissing(log)) return absl::OkStatus();
    return Refuse(absl::StrCat(database, " is gone or empty, but ",
                               mark.has_value() ? "the last gateway had it open"
                                                : absl::StrCat(log, " is there")),
                  directory,
                  "Put it back, from where it was moved or from a backup. To begin with an empty "
                  "store all the "
                  "same, move away everything of the name jobs.db… and remove jobs.open");
  }
  if (!mark.has_value())
    return IsEmptyOrMissing(log) ? absl::OkStatus() : LogOfNobody(database, log);
  if (!mark->damage.empty()) {
    return Refuse(
        absl::StrCat("The last gateway ended because ", mark->damage, ": ", database,
                     " and its log may not belong together"),
        directory,
        "Put back both as they were, or a backup of jobs.db without jobs.db-wal; then remove "
        "jobs.open");
  }
  const std::optional<FileTime> time = TimeWithoutLog(database);
  if (time.has_value() && (time->epoch < mark->epoch || (mark->numbered && time->copied))) {
    return Refuse(
        absl::StrCat(database, time->epoch < mark->epoch
                                   ? " is of an earlier time than the gateway that was killed on it"
                                   : " is a copy, and not the file that a gateway was killed on"),
        directory,
        "Put back the newer one. To go on with this one, which is a backup, remove jobs.db-wal, "
        "jobs.db-shm and jobs.open");
  }
  return mark->log.has_value() ? CheckLog(directory, *mark->log) : absl::OkStatus();
}

}  // namespace gateway::store
