#include "app/watchdog.h"

#include <utility>

namespace gateway::app {

Watchdog::Watchdog(Duration after, std::function<void()> bite)
    : thread_([this, after, bite = std::move(bite)] {
        MutexLock lock(mutex_);
        const auto called_off = [this]() REQUIRES(mutex_) { return called_off_; };
        if (!changed_.wait_for(mutex_, after, called_off)) bite();
      }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(mutex_);
    called_off_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

}  // namespace gateway::app
