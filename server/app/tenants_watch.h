// A TenantsWatch reads the file of --tenants and its key set again, so that keys, tenants and roles
// change without a restart.
//
// A look reads both files and compares what they say, as SecretWatch does with a secret, every few
// seconds and whenever somebody asks. Files that cannot be used change nothing, and the log says so
// once.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "tenants/directory.h"

namespace gateway::app {

// What the files said when they were read.
struct TenantsRead {
  tenants::DirectoryPtr directory;
  tenants::Sha256 file{};
  tenants::Sha256 key_set{};  // of the file of [jwt]; zero if there is none
};

// Errors are INVALID_ARGUMENT and name the file.
absl::StatusOr<TenantsRead> ReadTenants(const std::string& path);

class TenantsWatch {
 public:
  // `replaced` is called with each new directory, one after the other, and must not call the watch;
  // what it refuses counts as a file that cannot be used. What is passed in must outlive the watch.
  TenantsWatch(std::string path, TenantsRead present,
               std::function<absl::Status(tenants::DirectoryPtr)> replaced, const Clock& clock,
               Timers& timers);
  TenantsWatch(const TenantsWatch&) = delete;
  TenantsWatch& operator=(const TenantsWatch&) = delete;

  enum class Found { kSame, kReplaced, kUnusable };
  // Looks at the files now. What is found is logged if it is news.
  Found Look();

  // After it the watch looks no more by itself.
  void Stop() { next_.Stop(); }

 private:
  void Again();
  bool IsPresent() const REQUIRES(mutex_);
  void Note(const std::string& trouble) REQUIRES(mutex_);

  const std::string path_;
  const std::function<absl::Status(tenants::DirectoryPtr)> replaced_;
  const Clock& clock_;
  // Held while a directory is replaced, so that of two looks the later one wins.
  Mutex mutex_;
  TenantsRead present_ GUARDED_BY(mutex_);
  std::string trouble_ GUARDED_BY(mutex_);  // why the files cannot be used; empty: they can
  NextCall next_;
};

}  // namespace gateway::app
