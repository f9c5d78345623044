// One coarse clock for all open streams: it wakes each when it asked to be woken, to send a
// heartbeat or to find a write that does not end, and it ends them all when the server drains.
//
// A wheel of one-second slots instead of a timer a stream: ten thousand quiet watches cost one
// timer and a short walk a second. Streams are woken up to a second late, never early, on the
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
  // When to be woken next; nullopt once the stream has ended.
  virtual std::optional<MonoTime> OnTick(MonoTime now) = 0;
  // To end soon with this status, unless it is about to end by itself.
  virtual void End(absl::Status status) = 0;
};

class StreamWheel {
 public:
  // All must outlive the wheel.
  StreamWheel(const Clock& clock, Timers& timers, WorkThread& broadcaster);
  ~StreamWheel();
  StreamWheel(const StreamWheel&) = delete;
  StreamWheel& operator=(const StreamWheel&) = delete;

  // Does not keep the stream alive. Thread-safe.
  void Add(std::weak_ptr<LiveStream> stream, MonoTime first);

  // Ends every stream there is now and every one added later, evenly over `spread`, so that those
  // who come back do not come at once. `status` is asked for each. Only the first call counts.
  void EndAll(std::function<absl::Status()> status, Duration spread);

  // Streams not known to have ended.
  std::size_t size() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace gateway::watch
