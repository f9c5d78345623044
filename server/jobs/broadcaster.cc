#include "jobs/broadcaster.h"

#include <mutex>
#include <utility>

namespace gateway::jobs {

Broadcaster::Broadcaster() : thread_([this] { Run(); }) {}

Broadcaster::Broadcaster(std::function<void(Slice)> elsewhere) : elsewhere_(std::move(elsewhere)) {}

Broadcaster::~Broadcaster() { Stop(); }

void Broadcaster::Post(Slice slice) {
  if (elsewhere_) return elsewhere_(std::move(slice));
  MutexLock lock(mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(slice));
  if (queue_.size() == 1) wake_.notify_one();
}

void Broadcaster::WaitIdle() {
  MutexLock lock(mutex_);
  while (!stopping_ && (running_ || !queue_.empty())) idle_.wait(mutex_);
}

void Broadcaster::Stop() {
  std::deque<Slice> dropped;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    wake_.notify_all();
    idle_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Broadcaster::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      idle_.notify_all();
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
    if (more && !stopping_) queue_.push_back(std::move(slice));
  }
}

}  // namespace gateway::jobs
