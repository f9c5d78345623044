// Callers holds the directory that counts now, and answers with it who makes a call.
//
// Thread-safe.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "tenants/directory.h"
#include "tenants/identify.h"

namespace gateway::tenants {

class Callers {
 public:
  // `clock` must outlive it.
  Callers(DirectoryPtr directory, TrustRules trust, const Clock& clock)
      : trust_(std::move(trust)), clock_(clock), directory_(std::move(directory)) {}

  DirectoryPtr directory() const {
    MutexLock lock(mutex_);
    return directory_;
  }
  // A directory that lets everybody in never takes the place of one that does not: that is refused,
  // and needs a restart.
  absl::Status Replace(DirectoryPtr newer);
  absl::Status MayReplace(const Directory& newer) const;

  const TrustRules& trust() const { return trust_; }
  // See tenants::Identify.
  absl::StatusOr<PrincipalPtr> Identify(const CallFacts& call) const;
  // Whether who was known earlier is known still and has the role; else what to tell the caller.
  absl::Status Recheck(const Principal& earlier, Role role, std::string_view method) const;

 private:
  const TrustRules trust_;
  const Clock& clock_;
  mutable Mutex mutex_;
  DirectoryPtr directory_ GUARDED_BY(mutex_);
};

// PERMISSION_DENIED if the principal lacks the role.
absl::Status CheckRole(const Principal& principal, Role role, std::string_view method);

}  // namespace gateway::tenants
