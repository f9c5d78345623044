// A thread that does what it is given, one after the other: for work too long for the thread it
// comes from. The queue has no bound of its own; who posts has one.
//
// Thread-safe. The destructor closes.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace gateway {

class WorkThread {
 public:
  // `name`: at most 15 characters, for debuggers and top.
  explicit WorkThread(const char* name);
  ~WorkThread();
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  // After Close the task runs inside the call.
  void Post(std::function<void()> task) EXCLUDES(mutex_);

  // Does what was posted, then ends the thread. Not from a task.
  void Close() EXCLUDES(mutex_);

 private:
  void Run();

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway
