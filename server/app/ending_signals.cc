#include "app/ending_signals.h"

#include <csignal>

#include <utility>

#include "obs/log.h"

namespace gateway::app {

EndingSignals::EndingSignals(SignalWaiter& signals,
                             std::function<void(const std::string&, int)> at_once,
                             Duration second_after)
    : signals_(signals),
      at_once_(std::move(at_once)),
      second_from_(std::chrono::steady_clock::now() + second_after),
      failed_(signals.raised()),
      thread_([this] { Run(); }) {}

// A signal to the thread alone, which no other takes, wakes it.
EndingSignals::~EndingSignals() {
  stopping_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void EndingSignals::Wait(Duration at_most) {
  MutexLock lock(mutex_);
  const auto failed = [this]() REQUIRES(mutex_) { return failed_; };
  changed_.wait_for(mutex_, at_most, failed);
}

void EndingSignals::Run() {
  for (;;) {
    const SignalWaiter::Received signal = signals_.NextEnding();
    if (stopping_) return;
    if (signal.raised) {
      MutexLock lock(mutex_);
      failed_ = true;
      changed_.notify_all();
    } else if (std::chrono::steady_clock::now() >= second_from_) {
      at_once_(signal.name, signal.pid);
    } else {
      obs::Log(obs::Level::kInfo, "signal",
               {{"name", signal.name},
                {"from_pid", signal.pid},
                {"does", "nothing: it belongs to the first one"}});
    }
  }
}

}  // namespace gateway::app
