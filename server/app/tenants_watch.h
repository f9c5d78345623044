// The file of --tenants and its key set, which are read again so that keys, tenants and roles
// change without a restart.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "app/file_watch.h"
#include "tenants/directory.h"

namespace gateway::app {

// What the files said when they were read.
struct TenantsRead {
  tenants::DirectoryPtr directory;
  tenants::Sha256 digest{};  // of the texts; see DigestOf
};

// Errors are INVALID_ARGUMENT and name the file.
absl::StatusOr<TenantsRead> ReadTenants(const std::string& path);

// For a FileWatch. `replaced` takes each new directory, or says why it cannot be used.
WatchedFiles WatchedTenants(const std::string& path,
                            std::function<absl::Status(tenants::DirectoryPtr)> replaced);

}  // namespace gateway::app
