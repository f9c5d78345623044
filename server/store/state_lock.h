// StateLock lets one process at a time hold the state directory: it is an flock on the file
// `jobs.lock` in it.
//
// The kernel drops the lock with the process, however that ends. The file itself stays, because
// removing it would let two processes lock two files of one name.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace gateway::store {

class StateLock {
 public:
  // Creates the directory and missing parents (mode 0700). FAILED_PRECONDITION, naming the process,
  // if another one holds it, and for a directory or lock that is not this user's own
  // (base/own_file.h); PERMISSION_DENIED, RESOURCE_EXHAUSTED or INTERNAL with what went wrong.
  static absl::StatusOr<std::unique_ptr<StateLock>> Take(const std::string& directory);

  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

  // The descriptor of the locked file. It belongs to the lock.
  int fd() const { return fd_; }

 private:
  explicit StateLock(int fd) : fd_(fd) {}

  const int fd_;
};

// Creates an empty file that only its owner can read, unless it exists. SQLite gives the files
// beside a database the rights of the database, and would make the database readable to all.
absl::Status CreatePrivateFile(const std::string& path);

}  // namespace gateway::store
