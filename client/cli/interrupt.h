// An Interrupt makes Ctrl-C a stop token.
//
// Create it on the main thread before any other thread exists: it blocks SIGINT, SIGTERM and SIGHUP
// for all of them and waits for these on a thread of its own. The first one stops the token, a
// second one ends the process at once.
#pragma once

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace pictory_jobs::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  // Sets what a second signal says before it ends the process with kOutcomeUnknown. It is set for
  // as long as something may be paid for and nobody was told its id. Empty: the signal says nothing
  // and ends the process with kDetached.
  void SetLastWords(std::string words);

 private:
  void Listen();
  [[noreturn]] void End();

  std::stop_source source_;
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::string last_words_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pictory_jobs::cli
