// Pacing that never waits: it notes how long it was asked to.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "pictory_jobs/options.h"

namespace pictory_jobs::fake {

// Thread-safe. Must outlive the clients that use it.
class FakePacing {
 public:
  Pacing pacing(double uniform = 0.5) {
    return {[uniform] { return uniform; },
            [this](std::chrono::nanoseconds time, const std::stop_token& stop) {
              const std::lock_guard lock(mutex_);
              waits_.push_back(std::chrono::duration<double>(time).count());
              return !stop.stop_requested();
            }};
  }

  // Seconds.
  std::vector<double> waits() const {
    const std::lock_guard lock(mutex_);
    return waits_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<double> waits_;
};

}  // namespace pictory_jobs::fake
