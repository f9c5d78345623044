// A Watchdog ends a process that takes longer than it may. It is a thread of its own, because
// everything else may be what hangs.
#pragma once

#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::app {

class Watchdog {
 public:
  // `bite` runs on the watchdog's thread once `after` has passed, and ends the process.
  Watchdog(Duration after, std::function<void()> bite);
  // The destructor calls the watchdog off.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  Mutex mutex_;
  CondVar changed_;
  bool called_off_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway::app
