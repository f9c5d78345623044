#include "tenants/caller_key.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "tenants/api_key.h"

namespace gateway::tenants {
namespace {

constexpr std::string_view kAccountPrefix = "key-";
constexpr std::size_t kAccountDigits = 32;

}  // namespace

absl::StatusOr<Secret> ReadCallerKey(std::string_view text) {
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (visible && text.size() >= limits::kSecretMinBytes &&
      text.size() <= limits::kCallerKeyMaxBytes) {
    return Secret(std::string(text));
  }
  return errors::PictoryKeyNotTaken(absl::StrCat(
      "what ", kCallerKeyHeader, " holds cannot be a key: it must be one word of ",
      limits::kSecretMinBytes, " to ", limits::kCallerKeyMaxBytes, " visible characters"));
}

std::string AccountOfKey(const Secret& key) {
  return std::string(kAccountPrefix) + HexOf(Sha256Of(key.Reveal())).substr(0, kAccountDigits);
}

bool IsAccountOfKey(std::string_view account) {
  if (account.size() != kAccountPrefix.size() + kAccountDigits) return false;
  const std::string_view digits = account.substr(kAccountPrefix.size());
  return account.starts_with(kAccountPrefix) &&
         std::all_of(digits.begin(), digits.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace gateway::tenants
