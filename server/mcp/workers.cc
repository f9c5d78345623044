#include "mcp/workers.h"

#include <utility>

namespace gateway::mcp {

Workers::Workers(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Workers::~Workers() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::Push(Task task) {
  {
    MutexLock lock(mutex_);
    while (queue_.size() >= queue_max_) place_.wait(mutex_);
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
}

bool Workers::TryPush(Task task) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
  return true;
}

bool Workers::Finish(Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mutex_);
  while (running_ > 0 || !queue_.empty()) {
    if (idle_.wait_until(mutex_, until) == std::cv_status::timeout) {
      return running_ == 0 && queue_.empty();
    }
  }
  return true;
}

void Workers::Run() {
  for (;;) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !closing_) work_.wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    place_.notify_one();
    task();
    task = nullptr;
    MutexLock lock(mutex_);
    if (--running_ == 0 && queue_.empty()) idle_.notify_all();
  }
}

}  // namespace gateway::mcp
