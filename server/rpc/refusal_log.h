// The RefusalLog writes a log line for a call that was refused, so that an operator sees what
// callers run into without asking them: which method, who, why, and which request or job.
//
// What a caller or Pictory has written stays out of it: of a wrong request the line has the names
// of the fields, never their values. Callers can refuse themselves as often as they like, so the
// lines of each reason are limited, and how many were left out is told. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "obs/log.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

class RefusalLog {
 public:
  using Write = std::function<void(std::string_view event, std::span<const obs::Field> fields)>;

  // The arguments must outlive the RefusalLog, and it must outlive the last callback of the timers.
  RefusalLog(const Clock& clock, Timers& timers, Write write)
      : clock_(clock), timers_(timers), write_(std::move(write)) {}

  void Tell(const CallEnd& end) EXCLUDES(mutex_);
  // Tells, for all reasons, how many lines were left out and are not told yet. It is called once,
  // at the end.
  void TellLeftOut() EXCLUDES(mutex_);

 private:
  struct Lines {
    MonoTime begun{};
    int written = 0;
    std::uint64_t left_out = 0;  // since they were last told
  };

  bool Admit(const std::string& reason) EXCLUDES(mutex_);
  void TellLeftOut(const std::string& reason) EXCLUDES(mutex_);

  const Clock& clock_;
  Timers& timers_;
  const Write write_;
  Mutex mutex_;
  std::map<std::string, Lines, std::less<>> lines_ GUARDED_BY(mutex_);
};

// Whether somebody was refused something. A caller that has gone, a job that is not known or a
// stream that ends after its time are nothing that an operator has to see. Pure.
bool IsRefusal(const CallEnd& end, std::string_view reason);

}  // namespace gateway::rpc
