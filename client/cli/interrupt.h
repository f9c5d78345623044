// Ctrl-C as a stop token.
//
// Create it on the main thread before any other thread exists: it blocks SIGINT, SIGTERM and SIGHUP
// for all of them and waits for these on a thread of its own. The first one stops the token, a
// second one ends the process at once.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace pictory_jobs::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void Listen();

  std::stop_source source_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace pictory_jobs::cli
