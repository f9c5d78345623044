// CallerKeys lets callers bring the API key of their own Pictory account with each call.
//
// The account of a key is named by the key's SHA-256. So the key itself is stored nowhere, and the
// same key is the same account after a restart; its jobs are polled again once a call has shown the
// key.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "jobs/upstream.h"

namespace gateway::app {

class CallerKeys {
 public:
  // `open` configures an account that is not configured yet.
  explicit CallerKeys(std::function<void(const std::string& account, Secret key)> open)
      : open_(std::move(open)) {}
  CallerKeys(const CallerKeys&) = delete;
  CallerKeys& operator=(const CallerKeys&) = delete;

  // The account of this key, open from now on. UNAUTHENTICATED if it cannot be an API key,
  // RESOURCE_EXHAUSTED if limits::kCallerAccountsMax others are open.
  absl::StatusOr<std::string> AccountOf(std::string_view key);

 private:
  const std::function<void(const std::string&, Secret)> open_;
  Mutex mutex_;
  std::unordered_set<std::string> accounts_ GUARDED_BY(mutex_);
};

}  // namespace gateway::app
