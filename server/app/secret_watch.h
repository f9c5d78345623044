// The file of a secret, which is read again so that a new key needs no restart.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "app/file_watch.h"
#include "app/secret_file.h"
#include "base/secret.h"

namespace gateway::app {

// A pipe has nothing to say a second time, and who reads it waits for a writer.
bool IsPipe(const std::string& path);

// For a FileWatch. `replaced` takes each new secret, or says why it cannot be used.
WatchedFiles WatchedSecret(SecretOrigin file, std::function<absl::Status(Secret)> replaced);

}  // namespace gateway::app
