#include "base/work_thread.h"

#include <pthread.h>

#include <utility>

namespace gateway {

WorkThread::WorkThread(const char* name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

WorkThread::~WorkThread() { Close(); }

void WorkThread::Post(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      queue_.push_back(std::move(task));
      wake_.notify_one();
      return;
    }
  }
  task();
}

void WorkThread::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void WorkThread::Run() {
  for (;;) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !closing_) wake_.wait(mutex_);
      if (queue_.empty()) {
        closed_ = true;
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace gateway
