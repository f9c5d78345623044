// The thread that tells watchers: work in slices, taken in turn, so that a job with ten thousand
// watchers does not hold up the others.
//
// Thread-safe. Slices run one at a time, under no lock, and must not block.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace gateway::jobs {

class Broadcaster {
 public:
  // Does a little; true if there is more to do, which then waits its turn behind the others.
  using Slice = std::function<bool()>;

  Broadcaster();
  // Without a thread: `elsewhere` gets each slice, and runs it until it returns false.
  explicit Broadcaster(std::function<void(Slice)> elsewhere);
  ~Broadcaster();
  Broadcaster(const Broadcaster&) = delete;
  Broadcaster& operator=(const Broadcaster&) = delete;

  // Dropped after Stop().
  void Post(Slice slice);

  // Until nothing is left to do. Not from a slice.
  void WaitIdle();

  // Drops what is left, and joins.
  void Stop();

 private:
  void Run();

  const std::function<void(Slice)> elsewhere_;
  Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  std::deque<Slice> queue_ GUARDED_BY(mutex_);
  bool running_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway::jobs
