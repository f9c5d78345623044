#include "base/timer_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace gateway {

TimerThread::TimerThread(const Clock& clock) : clock_(clock), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "timers");
}

TimerThread::~TimerThread() { Stop(); }

void TimerThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  // Outside the lock, because what a callback owns may cancel timers when it goes.
  std::unordered_map<Id, std::function<void()>> dropped;
  MutexLock lock(mutex_);
  dropped.swap(callbacks_);
}

Timers::Id TimerThread::At(MonoTime when, std::function<void()> callback) {
  MutexLock lock(mutex_);
  const Id id = ++last_id_;
  callbacks_.emplace(id, std::move(callback));
  heap_.push_back({when, id});
  std::push_heap(heap_.begin(), heap_.end());
  if (heap_.front().id == id) wake_.notify_one();
  return id;
}

bool TimerThread::Cancel(Id id) {
  MutexLock lock(mutex_);
  return callbacks_.erase(id) > 0;  // its heap entry is skipped when it comes up
}

void TimerThread::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (heap_.empty()) {
      wake_.wait(mutex_);
      continue;
    }
    const Due due = heap_.front();
    auto found = callbacks_.find(due.id);
    if (found == callbacks_.end()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
      continue;
    }
    if (due.when > clock_.Now()) {
      wake_.wait_until(mutex_, due.when);
      continue;
    }
    std::function<void()> callback = std::move(found->second);
    callbacks_.erase(found);
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    mutex_.unlock();
    callback();
    callback = nullptr;  // what it owns goes before the lock is taken again
    mutex_.lock();
  }
}

}  // namespace gateway
