// An AsyncWatch follows a job on a thread of its own, and tells a callback.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "pictory_jobs/job.h"
#include "pictory_jobs/watch.h"

namespace pictory_jobs {

// Its destructor cancels the watch and waits for the callback that may be running. A callback may
// destroy it as well: then that callback is the last. Callbacks come one at a time.
class AsyncWatch {
 public:
  using OnState = std::function<void(const Job&)>;
  // Is called once, last, with what Watch::status() says; not at all where OnState has destroyed
  // the AsyncWatch.
  using OnEnd = std::function<void(const absl::Status&)>;

  AsyncWatch(Watch watch, OnState each, OnEnd end);
  AsyncWatch(AsyncWatch&&) noexcept;
  AsyncWatch& operator=(AsyncWatch&&) noexcept;
  ~AsyncWatch();

  // Ends it with CANCELLED; the job goes on. May be called from any thread and from a callback.
  void Cancel();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace pictory_jobs
