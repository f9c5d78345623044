#include "store/read_thread.h"
#include "base/limits.h"

#include <utility>

#include "base/errors.h"

namespace gateway::store {
ReadThread::ReadThread(std::unique_ptr<SQLite::Database> db, std::size_t queue_max)
    : queue_max_(queue_max),
      db_(std::move(db)),
      reads_(std::make_unique<JobReads>(*db_)),
      thread_([this] { Run(); }) {}

ReadThread::~ReadThread() { Close(); }

void ReadThread::Post(Task task) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      absl::Status status;
      if (admitted_ >= queue_max_) {
        status = errors::TooMany("reads of the job store", static_cast<std::int64_t>(queue_max_),
                                 limits::kStoreRetryAfter);
      } else {
        ++admitted_;
      }
      queue_.push_back({std::move(task), std::move(status)});
      wake_.notify_one();
      return;
    }
  }
  task(errors::Draining(limits::kStoreRetryAfter), nullptr);
}

void ReadThread::Refuse(absl::Status why) {
  MutexLock lock(mutex_);
  refusal_ = std::move(why);
}

void ReadThread::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  reads_.reset();
  db_.reset();
}

void ReadThread::Run() {
  for (Pending pending; Next(pending);) {
    JobReads* reads = pending.status.ok() ? reads_.get() : nullptr;
    pending.task(std::move(pending.status), reads);
    pending.task = nullptr;
  }
}

bool ReadThread::Next(Pending& pending) {
  MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) wake_.wait(mutex_);
  if (queue_.empty()) {
    closed_ = true;
    return false;
  }
  pending = std::move(queue_.front());
  queue_.pop_front();
  if (pending.status.ok()) {
    --admitted_;
    pending.status = refusal_;
  }
  return true;
}

}  // namespace gateway::store
