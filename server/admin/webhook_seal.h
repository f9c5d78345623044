// What keeps strangers from calling back: a submission's token and a MAC over it, one segment of
// the webhook's URL.
//
// The token alone is random enough not to be guessed, but to tell a known one from another takes a
// read of the store. The MAC (HMAC-SHA256 with a key that only this state directory holds) lets the
// receiver turn strangers away without one.
//
// Immutable; any thread.
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

  // With the key in `file`: limits::kWebhookKeyBytes bytes. Makes one, from the operating system's
  // randomness and readable by the owner alone, if the file is missing; its directory must exist,
  // and no other process may do the same meanwhile. Errors name the file and what to do.
  static absl::StatusOr<WebhookSeal> FromFile(const std::filesystem::path& file);

  // TOKEN.MAC, all of it unreserved in URLs: for `token` of lower-case hex digits, 65 bytes longer.
  std::string Seal(std::string_view token) const;
  // The token, part of `segment`, if its MAC is right. Compares in constant time.
  std::optional<std::string_view> Open(std::string_view segment) const;

 private:
  std::string Mac(std::string_view token) const;  // lower-case hex

  Secret key_;
};

}  // namespace gateway::admin
