// A secret on the first line of a file that nobody else can read.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::app {

// `flag` names the option in errors: INVALID_ARGUMENT, which never hold what the file says.
absl::StatusOr<Secret> ReadSecretFile(const std::string& flag, const std::string& path);

// That file if one is named, else the variable of the environment; empty if neither is there.
absl::StatusOr<Secret> FindSecret(const std::string& flag, const std::string& path,
                                  const char* variable);

}  // namespace gateway::app
