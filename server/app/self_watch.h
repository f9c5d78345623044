// A SelfWatch calls the gateway that it runs in, as a client does: over a new connection, through
// each port that the gateway listens on.
//
// What the program knows of itself is no proof that anybody can reach it: a listener may be deaf,
// or gRPC's threads blocked, while the process lives. The probes answer by what these calls find,
// and a gateway that nobody can reach ends, so that it is started again; all that it must remember
// is stored. But a gateway on a machine that is only slow must not end: see Judge.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "app/self_dial.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::app {

// What the server has done so far, by threads and sockets other than the caller's.
struct ServerProgress {
  std::uint64_t accepted = 0;  // connections
  std::uint64_t refused = 0;   // connections, for want of files
  std::uint64_t calls = 0;     // that reached a handler
};

// One call without an answer.
struct Unanswered {
  Duration late{};  // the caller's own thread began it so much after the time
  Duration took{};
  Duration timeout{};
  ServerProgress before;
  ServerProgress after;
};

enum class SelfCallVerdict {
  kServing,
  kNotServing,  // answered, but not yet or no longer taking calls
  kUnproven,    // the process itself was stopped or starved: the call proves nothing
  kFull,        // connections are being refused for want of files
  kSlow,        // the connection was taken and calls are served, but this one was not in time
  kMissed,
};
// Pure.
SelfCallVerdict Judge(const Unanswered& call);

struct SelfWatchOptions {
  Duration interval = limits::kSelfCallInterval;
  Duration timeout = limits::kSelfCallTimeout;
  int misses_max = limits::kSelfCallMissesMax;
};

class SelfWatch {
 public:
  // The functions are called from the watch's thread. `unreachable` is called once, after as many
  // misses in a row as the options say.
  SelfWatch(SelfWatchOptions options, std::vector<std::string> addresses, SelfDial dial,
            std::function<ServerProgress()> progress, std::function<void()> unreachable);
  ~SelfWatch();  // stops, and waits for a call under way
  SelfWatch(const SelfWatch&) = delete;
  SelfWatch& operator=(const SelfWatch&) = delete;

  // The first round is over when it returns.
  void Start();
  // No call counts any more: for a drain.
  void Stop();

  // NotLive says why the process should be taken for dead, NotReady why it should get no calls.
  // Empty if there is no reason.
  std::string NotLive() const;
  std::string NotReady() const;

 private:
  struct Found {
    SelfCallVerdict verdict = SelfCallVerdict::kServing;
    std::string detail;
  };

  void Run(MonoTime due);
  void Round(Duration late);
  Found Ask(const std::string& address, Duration late);
  bool Overdue() const REQUIRES(mutex_);

  const SelfWatchOptions options_;
  const std::vector<std::string> addresses_;
  const SelfDial dial_;
  const std::function<ServerProgress()> progress_;
  const std::function<void()> unreachable_;
  int misses_ = 0;  // of the watch's thread
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Found found_ GUARDED_BY(mutex_);
  MonoTime found_at_ GUARDED_BY(mutex_){};
  std::thread thread_;
};

}  // namespace gateway::app
