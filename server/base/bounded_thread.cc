#include "base/bounded_thread.h"

#include <cstdint>
#include <utility>

#include "base/errors.h"

namespace gateway {

BoundedThread::BoundedThread(Options options)
    : options_(std::move(options)), thread_(options_.name) {}

BoundedThread::~BoundedThread() { Close(); }

absl::Status BoundedThread::Closed() const { return errors::Draining(options_.retry_after); }

void BoundedThread::Post(Task task) {
  bool closed = false;
  bool full = false;
  {
    MutexLock lock(mutex_);
    closed = closed_;
    full = !closed && admitted_ >= options_.queue_max;
    if (!closed && !full) ++admitted_;
  }
  if (closed) return task(Closed());
  if (full) {
    return thread_.Post([this, task = std::move(task)] {
      task(errors::TooMany(options_.what, static_cast<std::int64_t>(options_.queue_max),
                           options_.retry_after));
    });
  }
  thread_.Post([this, task = std::move(task)] { Run(task); });
}

void BoundedThread::Run(const Task& task) {
  absl::Status status;
  {
    MutexLock lock(mutex_);
    --admitted_;
    status = refusal_;
  }
  task(status);
}

void BoundedThread::Refuse(absl::Status why) {
  MutexLock lock(mutex_);
  refusal_ = std::move(why);
}

void BoundedThread::Close() {
  if (options_.at_close == Waiting::kRefused) Refuse(Closed());
  thread_.Post([this] {  // behind all that was posted
    MutexLock lock(mutex_);
    closed_ = true;
  });
  thread_.Close();
}

}  // namespace gateway
