// Workers are threads that share one bounded queue: calls to the gateway block, and one slow call
// must not hold up the others. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::mcp {

class Workers {
 public:
  using Task = std::function<void()>;

  Workers(std::size_t threads, std::size_t queue_max);
  ~Workers();  // does what is left
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Waits for a place in the queue.
  void Push(Task task) EXCLUDES(mutex_);
  // False if there is none.
  bool TryPush(Task task) EXCLUDES(mutex_);
  // Whether everything was done within that time.
  bool Finish(Duration patience) EXCLUDES(mutex_);

 private:
  void Run();

  const std::size_t queue_max_;
  Mutex mutex_;
  CondVar work_;
  CondVar place_;
  CondVar idle_;
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  std::size_t running_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace gateway::mcp
