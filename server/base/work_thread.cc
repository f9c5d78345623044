#include "base/work_thread.h"

#include <pthread.h>

namespace gateway {

WorkThread::WorkThread(const char* name, Rest rest) : rest_(rest), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

WorkThread::WorkThread(std::function<void(Slice)> elsewhere) : elsewhere_(std::move(elsewhere)) {}

WorkThread::~WorkThread() { Close(); }

void WorkThread::PostSlice(Slice slice) {
  if (elsewhere_) return elsewhere_(std::move(slice));
  {
    MutexLock lock(mutex_);
    if (closing_ && rest_ == Rest::kDropped) return;
    if (!closed_) {
      queue_.push_back(std::move(slice));
      if (queue_.size() == 1) wake_.notify_one();
      return;
    }
  }
  while (slice()) {
  }
}

void WorkThread::WaitIdle() {
  MutexLock lock(mutex_);
  while (!closing_ && (running_ || !queue_.empty())) idle_.wait(mutex_);
}

void WorkThread::BeginToClose() {
  std::deque<Slice> dropped;  // what they own goes after the lock
  MutexLock lock(mutex_);
  closing_ = true;
  if (rest_ == Rest::kDropped) dropped.swap(queue_);
  wake_.notify_one();
  idle_.notify_all();
}

void WorkThread::Close() {
  BeginToClose();
  if (thread_.joinable()) thread_.join();
}

bool WorkThread::CloseUntil(MonoTime until) {
  BeginToClose();
  {
    MutexLock lock(mutex_);
    while (thread_.joinable() && !closed_ &&
           idle_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
    }
    if (thread_.joinable() && !closed_) return false;
  }
  Close();
  return true;
}

void WorkThread::Run() {
  MutexLock lock(mutex_);
  for (;;) {
    if (queue_.empty()) {
      closed_ = closing_;
      idle_.notify_all();
      if (closed_) return;
      wake_.wait(mutex_);
      continue;
    }
    Slice slice = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    mutex_.unlock();
    const bool more = slice();
    if (!more) slice = nullptr;  // what it owns goes before the lock is taken again
    mutex_.lock();
    running_ = false;
    if (!more) continue;
    if (!closing_ || rest_ == Rest::kDone) {
      queue_.push_back(std::move(slice));
    } else {
      mutex_.unlock();
      slice = nullptr;
      mutex_.lock();
    }
  }
}

}  // namespace gateway
