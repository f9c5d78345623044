// StreamWheel is one coarse clock for all open streams. It wakes each stream when the stream asked
// to be woken, to send a heartbeat or to find a write that does not end, and it ends all streams
// when the server drains.
//
// It is a wheel of one-second slots, not a timer for each stream: ten thousand quiet watches cost
// one timer and a short walk a second. Streams are woken up to a second late, never early, on the
// broadcaster's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/work_thread.h"

namespace gateway::watch {

class LiveStream {
 public:
  virtual ~LiveStream() = default;
  // Called when the stream is woken. Returns when to wake it next; nullopt once the stream has
  // ended.
  virtual std::optional<MonoTime> OnTick(MonoTime now) = 0;
  // Asks the stream to end soon with this status, unless it is about to end by itself.
  virtual void End(absl::Status status) = 0;
};

class StreamWheel {
 public:
  // `clock`, `timers` and `broadcaster` must outlive the wheel.
  StreamWheel(const Clock& clock, Timers& timers, WorkThread& broadcaster);
  ~StreamWheel();
  StreamWheel(const StreamWheel&) = delete;
  StreamWheel& operator=(const StreamWheel&) = delete;

  // Puts a stream on the wheel, to be woken at `first`. The wheel does not keep it alive.
  // Thread-safe.
  void Add(std::weak_ptr<LiveStream> stream, MonoTime first);

  // Ends every stream there is now and every one added later, evenly over `spread`, so that the
  // callers who come back do not come at once. `status` is asked for each stream. Only the first
  // call counts.
  void EndAll(std::function<absl::Status()> status, Duration spread);

  // How many streams are not known to have ended.
  std::size_t size() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace gateway::watch
