#include "app/caller_keys.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "tenants/api_key.h"

namespace gateway::app {
namespace {

// Half of the hash: a key has far more random bits than anybody can try.
constexpr std::size_t kNameDigits = 32;

bool CanBeKey(std::string_view key) {
  return !key.empty() && key.size() <= limits::kCallerKeyMaxBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

absl::StatusOr<std::string> CallerKeys::AccountOf(std::string_view key) {
  if (!CanBeKey(key)) {
    return errors::CallerUnknown(
        absl::StrCat("what came as an API key of Pictory cannot be one: at most ",
                     limits::kCallerKeyMaxBytes, " visible characters"));
  }
  std::string account =
      absl::StrCat("key-", tenants::HexOf(tenants::Sha256Of(key)).substr(0, kNameDigits));
  MutexLock lock(mutex_);
  if (accounts_.contains(account)) return account;
  if (accounts_.size() >= limits::kCallerAccountsMax) {
    return errors::TooMany("accounts that callers have brought", limits::kCallerAccountsMax,
                           limits::kCallerAccountsRetry);
  }
  open_(account, Secret(std::string(key)));
  accounts_.insert(account);
  return account;
}

}  // namespace gateway::app
