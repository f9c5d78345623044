// WorkThread is a thread with a queue: it runs the tasks it is given, one after the other. It is
// for work that is too long for the thread on which the work comes up. The queue has no bound of
// its own; those who post have one.
//
// Long work comes in slices: a task that returns true has more to do, and waits its turn behind the
// others, so that no task holds up the rest.
//
// Thread-safe. Tasks run under no lock. The destructor closes.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway {

class WorkThread {
 public:
  // Does a little of the work, and returns whether there is more to do.
  using Slice = std::function<bool()>;

  // What becomes of work that is left when the thread is closed.
  enum class Rest { kDone, kDropped };

  // `name`: at most 15 characters, for debuggers and top.
  explicit WorkThread(const char* name, Rest rest = Rest::kDone);
  // Makes a queue without a thread: `elsewhere` gets each slice, and runs it until it returns
  // false.
  explicit WorkThread(std::function<void(Slice)> elsewhere);
  ~WorkThread();
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  // `task` returns bool, as a slice does, or nothing. Once closed it runs inside the call, or is
  // dropped.
  template <class Task>
  void Post(Task task) EXCLUDES(mutex_) {
    if constexpr (std::is_void_v<std::invoke_result_t<Task&>>) {
      PostSlice([task = std::move(task)]() mutable {
        task();
        return false;
      });
    } else {
      PostSlice(std::move(task));
    }
  }

  // Returns when nothing is left to do. Not to be called from a task.
  void WaitIdle() EXCLUDES(mutex_);

  // Does or drops what is left, then ends the thread. Not to be called from a task.
  void Close() EXCLUDES(mutex_);
  // The same, but returns false if the thread has not ended by then: it goes on, and Close must
  // wait for it.
  bool CloseUntil(MonoTime until) EXCLUDES(mutex_);

 private:
  void PostSlice(Slice slice) EXCLUDES(mutex_);
  void BeginToClose() EXCLUDES(mutex_);
  void Run();

  const Rest rest_ = Rest::kDone;
  const std::function<void(Slice)> elsewhere_;
  Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  std::deque<Slice> queue_ GUARDED_BY(mutex_);
  bool running_ GUARDED_BY(mutex_) = false;
  bool closing_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;  // the thread takes nothing any more
  std::thread thread_;
};

}  // namespace gateway
