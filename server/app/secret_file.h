// A secret comes from a variable of the environment, or from the first line of a file that nobody
// else can read (base/own_file.h says who may).
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "app/environment.h"
#include "base/secret.h"

namespace gateway::app {

struct SecretSource {
  std::string_view flag;      // names the file
  std::string_view variable;  // holds the secret
};
inline constexpr SecretSource kApiKey = {"--api-key-file", "PICTORY_API_KEY"};
inline constexpr SecretSource kClientSecret = {"--client-secret-file", "PICTORY_CLIENT_SECRET"};
inline constexpr SecretSource kSecretSources[] = {kApiKey, kClientSecret};

struct SecretOrigin {
  std::string flag;
  std::string path;
};

// Reads the file. Errors are INVALID_ARGUMENT, name the option by `flag`, and never hold what the
// file says.
absl::StatusOr<Secret> ReadSecretFile(std::string_view flag, const std::string& path);

// Checks that a value can go into a header or a token request as it is; else INVALID_ARGUMENT. The
// value stays out of the message.
absl::Status CheckVisible(std::string_view name, std::string_view value);

// Reads the secret from the file if `path` names one, else from the variable; empty if there is
// neither. Both at once are an error: they may be two accounts.
absl::StatusOr<Secret> FindSecret(const SecretSource& source, const std::string& path,
                                  const Variables& variables);

}  // namespace gateway::app
