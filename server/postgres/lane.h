// Lane is a lane of a store's reads: a thread with a connection, so that reading waits neither for
// a commit nor for another lane. A read whose connection breaks is asked once more on another one;
// while there is none it gets UNAVAILABLE. Callbacks run on this thread, in the order of Post.
// Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "postgres/connection.h"
#include "postgres/reads.h"

namespace gateway::postgres {

class Lane {
 public:
  struct Task {
    std::function<void(Reads&)> read;  // may run twice
    std::function<void(absl::Status)> done;
  };

  Lane(std::string conninfo, std::size_t queue_max);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Hands in a task. If the queue is full, it gets RESOURCE_EXHAUSTED, in its turn; if the lane is
  // closed, UNAVAILABLE, inside the call.
  void Post(Task task) EXCLUDES(mutex_);

  // Makes all tasks from now on get `why`; nothing is read any more.
  void Refuse(absl::Status why) EXCLUDES(mutex_);

  // Answers what was posted, then ends the thread. Not to be called from a task.
  void Close() EXCLUDES(mutex_);

 private:
  struct Pending {
    Task task;
    absl::Status status;
  };

  void Run();
  bool Next(Pending& pending) EXCLUDES(mutex_);
  absl::Status Read(const Task& task);
  void Connect();

  const std::string conninfo_;
  const std::size_t queue_max_;
  // The lane's thread only.
  std::unique_ptr<Connection> connection_;
  int failures_ = 0;
  MonoTime next_try_{};

  Mutex mutex_;
  CondVar wake_;
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  std::size_t admitted_ GUARDED_BY(mutex_) = 0;  // in queue_ and not refused
  absl::Status refusal_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway::postgres
