// A caller's key is an API key of Pictory's that a caller shows with its calls, where callers pay.
//
// The account that it stands for is called by its SHA-256, so that the name tells nobody the key,
// and is the same whenever the key is shown again.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::tenants {

inline constexpr char kCallerKeyHeader[] = "pictory-api-key";

// A key as a header has it. What cannot be one is INVALID_ARGUMENT, without the text itself. Pure.
absl::StatusOr<Secret> ReadCallerKey(std::string_view text);

// `key-` and 32 hex digits. Pure.
std::string AccountOfKey(const Secret& key);
// Whether an account is called as those of callers are. No account of the settings may be. Pure.
bool IsAccountOfKey(std::string_view account);

}  // namespace gateway::tenants
