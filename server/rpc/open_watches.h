// OpenWatches knows by whose leave each watch is open, and ends those whose callers have lost it
// when the tenants have changed.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "tenants/callers.h"
#include "tenants/principal.h"
#include "watch/stream_wheel.h"

namespace gateway::rpc {

class OpenWatches {
 public:
  // `callers` must outlive it.
  explicit OpenWatches(const tenants::Callers& callers) : callers_(callers) {}

  // Does not keep the watch alive; `method` is a literal. If the caller has lost its leave since it
  // was let in, the watch ends at once.
  void Add(const char* method, tenants::PrincipalPtr principal,
           const std::shared_ptr<watch::LiveStream>& stream);
  // To be called when the tenants have changed.
  void Recheck();

 private:
  struct Open {
    const char* method;
    tenants::PrincipalPtr principal;
    std::weak_ptr<watch::LiveStream> stream;
  };

  const tenants::Callers& callers_;
  Mutex mutex_;
  // Those that have ended are taken out when the list has doubled since the last time.
  std::vector<Open> open_ GUARDED_BY(mutex_);
  std::size_t sweep_at_ GUARDED_BY(mutex_) = 64;
};

}  // namespace gateway::rpc
