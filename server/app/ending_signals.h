// EndingSignals is what signals mean while the program ends in order.
//
// A second one that asks for the end means that the operator does not want to wait: the program
// ends at once. All that is stored stays; a submit that was sent is UNCONFIRMED at the next start.
// One within limits::kSecondSignalAfter of the first belongs to the first.
#pragma once

#include <pthread.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "app/process.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::app {

class EndingSignals {
 public:
  // It listens from now on. `at_once` is called with the signal's name and who sent it, on a thread
  // of its own, and ends the process. `signals` must outlive it.
  EndingSignals(SignalWaiter& signals,
                std::function<void(const std::string& name, int pid)> at_once,
                Duration second_after);
  ~EndingSignals();
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;

  // Waits so long, or until the program must end because something in it failed.
  void Wait(Duration at_most);

 private:
  void Run();

  SignalWaiter& signals_;
  const std::function<void(const std::string&, int)> at_once_;
  const MonoTime second_from_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  CondVar changed_;
  bool failed_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace gateway::app
