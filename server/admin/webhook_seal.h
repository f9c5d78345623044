// A WebhookSeal keeps strangers from making webhook calls: it seals a submission's correlation
// token with a MAC over it, and both are one segment of the webhook's URL.
//
// The token alone is random enough not to be guessed, but to tell a known token from another takes
// a read of the store. The MAC (HMAC-SHA256 with a key that only this state directory holds, or a
// store that several gateways share) lets
// the receiver turn strangers away without one.
//
// It is immutable, and may be used from any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::admin {

class WebhookSeal {
 public:
  explicit WebhookSeal(Secret key) : key_(std::move(key)) {}

  // A seal with the key in `file`, which has limits::kWebhookKeyBytes bytes. If the file is
  // missing, it is made from the operating system's randomness, readable by the owner alone; its
  // directory must exist, and no other process may do the same meanwhile. Errors name the file and
  // what to do.
  static absl::StatusOr<WebhookSeal> FromFile(const std::filesystem::path& file);

  const Secret& key() const { return key_; }

  // TOKEN.MAC, all of it unreserved in URLs: for `token` of lower-case hex digits, 65 bytes longer.
  std::string Seal(std::string_view token) const;
  // The token, part of `segment`, if its MAC is right. Compares in constant time.
  std::optional<std::string_view> Open(std::string_view segment) const;

 private:
  std::string Mac(std::string_view token) const;  // lower-case hex

  Secret key_;
};

}  // namespace gateway::admin
