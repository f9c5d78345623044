#include "jobs/caller_accounts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "tenants/caller_key.h"

namespace gateway::jobs {
namespace {

constexpr TokenBucket::Size kChanges{.per_second = limits::kCallerAccountChangesPerSecond,
                                     .burst = limits::kCallerAccountChangesBurst};

}  // namespace

CallerAccounts::CallerAccounts(OptionsOf options_of,
                               std::function<bool(const std::string& account)> has_jobs,
                               Upstreams& upstreams, const Clock& clock)
    : options_of_(std::move(options_of)),
      has_jobs_(std::move(has_jobs)),
      upstreams_(upstreams),
      clock_(clock) {}

absl::StatusOr<std::string> CallerAccounts::Show(const Secret& key) {
  const std::string account = tenants::AccountOfKey(key);
  MutexLock lock(mutex_);
  const auto known = places_.find(account);
  if (known != places_.end()) {
    open_.splice(open_.end(), open_, known->second);
    return account;
  }
  if (open_.size() >= limits::kCallerAccountsMax) {
    const Duration wait = changes_.Take(kChanges, clock_.Now());
    if (wait > Duration::zero()) {
      return errors::TooMany("Pictory keys that callers show for the first time",
                             limits::kCallerAccountChangesBurst, wait);
    }
    if (!MakeRoom()) {
      return errors::TooMany("Pictory accounts of callers that have jobs under way",
                             limits::kCallerAccountsMax, limits::kCallerAccountsRetry);
    }
  }
  upstreams_.Open(account, options_of_(account, key), Upstreams::Whose::kCallers);
  places_[account] = open_.insert(open_.end(), account);
  return account;
}

bool CallerAccounts::MakeRoom() {
  const auto goes = std::find_if(open_.begin(), open_.end(), [this](const std::string& account) {
    // Jobs of a key that Pictory refuses stand still whether the account is open or not.
    const bool idle = !has_jobs_(account) || upstreams_.Of(account)->credentials_refused();
    return idle && upstreams_.Close(account);
  });
  if (goes == open_.end()) return false;
  places_.erase(*goes);
  open_.erase(goes);
  return true;
}

std::size_t CallerAccounts::open() const {
  MutexLock lock(mutex_);
  return open_.size();
}

}  // namespace gateway::jobs
