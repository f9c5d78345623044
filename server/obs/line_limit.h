// A LineLimit bounds how many lines of one sort are written in a while, so that nobody fills a disk
// with them.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::obs {

// Thread-safe.
class LineLimit {
 public:
  LineLimit(int most, Duration window) : most_(most), window_(window) {}

  // Tells whether a line may be written now, and if so how many were left out since the last one.
  std::optional<std::uint64_t> Admit(MonoTime now) {
    MutexLock lock(mutex_);
    if (!begun_.has_value() || now - *begun_ >= window_) {
      begun_ = now;
      written_ = 0;
    }
    if (written_ >= most_) {
      ++suppressed_;
      return std::nullopt;
    }
    ++written_;
    const std::uint64_t suppressed = suppressed_;
    suppressed_ = 0;
    return suppressed;
  }

 private:
  const int most_;
  const Duration window_;
  Mutex mutex_;
  std::optional<MonoTime> begun_ GUARDED_BY(mutex_);
  int written_ GUARDED_BY(mutex_) = 0;
  std::uint64_t suppressed_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gateway::obs
