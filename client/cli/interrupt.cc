#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "exit_code.h"
#include "standard_streams.h"

namespace pictory_jobs::cli {
namespace {

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { Listen(); });
}

Interrupt::~Interrupt() {
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // wakes it
  thread_.join();
}

void Interrupt::SetLastWords(std::string words) {
  const std::lock_guard lock(mutex_);
  last_words_ = std::move(words);
}

void Interrupt::End() {
  const std::lock_guard lock(mutex_);
  // If nobody reads the last words, a third signal ends the process without them.
  const sigset_t set = Signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  WriteAll(STDERR_FILENO, last_words_);
  _exit(last_words_.empty() ? kDetached : kOutcomeUnknown);
}

void Interrupt::Listen() {
  const sigset_t set = Signals();
  for (int signal = 0; sigwait(&set, &signal) == 0;) {
    if (done_) return;
    if (source_.stop_requested()) End();
    source_.request_stop();
  }
}

}  // namespace pictory_jobs::cli
