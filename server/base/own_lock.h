// OwnLock keeps others, threads and processes, from what a file stands for. The lock is the
// kernel's: it ends with its holder, however that ends, and the file itself stays.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace gateway {

class OwnLock {
 public:
  // Waits for whoever has the lock. The file is created, in a directory in which nobody else has a
  // say; errors are those of OpenOwnFile.
  static absl::StatusOr<OwnLock> Take(const std::string& path);
  // The same without waiting: ABORTED if somebody has it.
  static absl::StatusOr<OwnLock> TryTake(const std::string& path);

 private:
  static absl::StatusOr<OwnLock> Take(const std::string& path, int flags);
  explicit OwnLock(int file);

  std::shared_ptr<const int> file_;  // its descriptor is closed with the last copy
};

}  // namespace gateway
