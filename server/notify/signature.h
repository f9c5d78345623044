// Notifications are signed as Standard Webhooks 1.0 has it: a receiver proves with a key that it
// shares with the gateway who has sent one, and when. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::notify {

// The key in a secret as it is written: `whsec_` and base64 of 24 to 64 bytes. INVALID_ARGUMENT in
// words that follow the secret's name, and that hold nothing of it.
absl::StatusOr<Secret> KeyOf(const Secret& written);

// The header `webhook-signature`: `v1,…` by each of the keys, so that one may be replaced while
// receivers still know the other alone.
std::string Sign(const std::vector<Secret>& keys, std::string_view id, std::int64_t seconds,
                 std::string_view body);

}  // namespace gateway::notify
