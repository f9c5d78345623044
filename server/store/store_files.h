// StoreFiles holds the files of an open store, and tells whether what is written to them will be
// found again.
//
// A restart finds files by their names; SQLite writes to the files that it has opened, wherever the
// names lead by now. A commit into a file without a name succeeds and is forgotten, and with it
// what was paid for. So the names are checked around every commit. So are the contents of jobs.db
// and its log, which nobody else may write to: they must be what this process left there.
//
// The files are held by descriptors, so that no new file gets the number of one that is gone. All
// but the log's are O_PATH descriptors: closing any other descriptor of jobs.db or jobs.db-shm
// would drop the locks that SQLite has on them. SQLite does not lock the log, whose header is read
// through its descriptor.
//
// The object is used by one thread at a time: by the writer's, once that runs.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/log_header.h"

namespace gateway::store {

class StoreFiles {
 public:
  // Holds the directory, its jobs.lock (open as `lock_fd`) and its jobs.db, before SQLite opens
  // that.
  static absl::StatusOr<std::unique_ptr<StoreFiles>> Hold(const std::string& directory,
                                                          int lock_fd);
  ~StoreFiles();
  StoreFiles(const StoreFiles&) = delete;
  StoreFiles& operator=(const StoreFiles&) = delete;

  // Holds the log and its index, once SQLite has committed something, and tells which log it is.
  absl::StatusOr<LogHeader> HoldLog();
  // Holds the mark (open_mark.h). From here on nobody but this process writes to jobs.db.
  absl::Status HoldMark();

  // Checks all files. OK, or what happened to which file; from then on always that.
  // FAILED_PRECONDITION if a name leads nowhere or the directory is another one, DATA_LOSS if other
  // contents lie under the name.
  absl::Status Check();
  // Checks only what a commit stands on, in half the time: jobs.db, its log and the lock.
  absl::Status CheckAtCommit();
  // Whether jobs.db is as this process left it. Asked before SQLite writes to it.
  bool DatabaseIsUntouched() const;

  // Notes that SQLite, on behalf of this process, has written to the log (NoteCommit) or to jobs.db
  // (NoteCheckpoint).
  void NoteCommit();
  void NoteCheckpoint();

  const absl::Status& lost() const { return lost_; }

 private:
  enum Place : std::size_t { kDirectory, kLock, kDatabase, kLog, kIndex, kMark };
  struct File {
    std::string name;  // in the directory; empty: the directory itself
    std::string path;
    int fd = -1;
    dev_t device = 0;
    ino_t number = 0;
  };

  explicit StoreFiles(std::string directory) : directory_(std::move(directory)) {}
  absl::Status HoldFile(const std::string& name, int flags);
  absl::Status CheckFile(const File& file);
  absl::Status Missed(const File& file, int error) const;
  bool IsAsLeft(const struct stat& info) const;
  bool LogGoesOn(off_t bytes);

  const std::string directory_;
  std::vector<File> files_;  // in the order of Place
  // jobs.db is as this process left it if these two are: nothing but writing to it changes them.
  off_t bytes_ = 0;
  timespec written_{};
  off_t log_bytes_ = 0;
  LogHeader log_;
  absl::Status lost_;
};

}  // namespace gateway::store
