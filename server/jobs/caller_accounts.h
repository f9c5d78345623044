// CallerAccounts opens the Pictory accounts whose keys callers show (tenants/caller_key.h).
//
// A key is kept in memory only, by the door of its account, for as long as that is open: from the
// first call that shows the key until the account has to make room. At most
// limits::kCallerAccountsMax are open; for another one, that account is closed whose key was shown
// the longest ago, of those that are not in use and have no job that could go on.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "base/token_bucket.h"
#include "jobs/upstreams.h"

namespace gateway::jobs {

class CallerAccounts {
 public:
  using OptionsOf = std::function<UpstreamOptions(const std::string& account, const Secret& key)>;
  // `has_jobs` says whether an account has jobs under way. Neither function may call this object.
  CallerAccounts(OptionsOf options_of, std::function<bool(const std::string& account)> has_jobs,
                 Upstreams& upstreams, const Clock& clock);
  CallerAccounts(const CallerAccounts&) = delete;
  CallerAccounts& operator=(const CallerAccounts&) = delete;

  // The account of a key, which is open when this returns; RESOURCE_EXHAUSTED if no other one can
  // make room for it, or if too many did just now.
  absl::StatusOr<std::string> Show(const Secret& key);

  std::size_t open() const;

 private:
  bool MakeRoom() REQUIRES(mutex_);

  const OptionsOf options_of_;
  const std::function<bool(const std::string& account)> has_jobs_;
  Upstreams& upstreams_;
  const Clock& clock_;

  mutable Mutex mutex_;
  std::list<std::string> open_ GUARDED_BY(mutex_);  // the one shown last at the end
  std::unordered_map<std::string, std::list<std::string>::iterator> places_ GUARDED_BY(mutex_);
  TokenBucket changes_ GUARDED_BY(mutex_);  // of the accounts that are open
};

}  // namespace gateway::jobs
