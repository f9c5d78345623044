// BoundedThread is a WorkThread that admits so many waiting tasks and no more, can be told to
// refuse all that comes, and answers each task exactly once: OK, and then it does its work, or why
// not. Thread-safe. Tasks run on the thread, in the order of Post, under no lock.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/work_thread.h"

namespace gateway {

class BoundedThread {
 public:
  using Task = std::function<void(const absl::Status&)>;

  // What becomes of tasks that wait when the thread is closed.
  enum class Waiting { kDone, kRefused };

  struct Options {
    const char* name = "";  // see WorkThread
    std::size_t queue_max = 0;
    std::string what;  // the tasks are, for who is refused
    Duration retry_after{};
    Waiting at_close = Waiting::kDone;
  };

  explicit BoundedThread(Options options);
  ~BoundedThread();
  BoundedThread(const BoundedThread&) = delete;
  BoundedThread& operator=(const BoundedThread&) = delete;

  // Hands in a task. If the queue is full, it gets RESOURCE_EXHAUSTED, in its turn; if the thread
  // is closed, UNAVAILABLE, inside the call.
  void Post(Task task) EXCLUDES(mutex_);

  // Makes all tasks from now on get `why`, those that wait as well.
  void Refuse(absl::Status why) EXCLUDES(mutex_);

  // Does or refuses what waits, then ends the thread. Not to be called from a task.
  void Close() EXCLUDES(mutex_);

 private:
  void Run(const Task& task) EXCLUDES(mutex_);
  absl::Status Closed() const;

  const Options options_;
  Mutex mutex_;
  std::size_t admitted_ GUARDED_BY(mutex_) = 0;  // that wait, and were not refused
  absl::Status refusal_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  WorkThread thread_;  // last: its tasks use the others
};

}  // namespace gateway
