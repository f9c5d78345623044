// FileError makes the errors of the files in a state directory, with what the operator can do.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace gateway::store {

// What could not be done to `path`, for the `error` of errno. PERMISSION_DENIED,
// RESOURCE_EXHAUSTED, FAILED_PRECONDITION or INTERNAL.
absl::Status FileError(int error, const std::string& what, const std::string& path);

}  // namespace gateway::store
