// Told is the newest transaction that callers were told is done: a server that does not have it
// must not be used. Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <cstdint>
#include <string>
#include <utility>

namespace gateway::postgres {

class Told {
 public:
  // A transaction, by its session and its number there. A server that lacks the session may have
  // given its number to another gateway's, so the gateway belongs to it.
  struct Mark {
    std::string gateway;
    std::int64_t writer = 0;
    std::int64_t batch = 0;
  };

  void Set(Mark mark) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    mark_ = std::move(mark);
  }
  Mark Get() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return mark_;
  }

 private:
  mutable Mutex mutex_;
  Mark mark_ GUARDED_BY(mutex_);
};

}  // namespace gateway::postgres
