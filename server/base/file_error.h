// FileError makes the errors of the files in a state directory, with what the operator can do.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace gateway {

// The error for what could not be done to `path`, from errno: PERMISSION_DENIED,
// RESOURCE_EXHAUSTED, FAILED_PRECONDITION or INTERNAL.
absl::Status FileError(int error, const std::string& what, const std::string& path);

}  // namespace gateway
