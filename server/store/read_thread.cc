#include "store/read_thread.h"

#include <cstdint>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::store {

ReadThread::ReadThread(std::unique_ptr<SQLite::Database> db, std::size_t queue_max)
    : queue_max_(queue_max), db_(std::move(db)), reads_(std::make_unique<JobReads>(*db_)) {}

ReadThread::~ReadThread() { Close(); }

void ReadThread::Post(Task task) {
  bool closed = false;
  bool full = false;
  {
    MutexLock lock(mutex_);
    closed = closed_;
    full = !closed && admitted_ >= queue_max_;
    if (!closed && !full) ++admitted_;
  }
  if (closed) return task(errors::Draining(limits::kStoreRetryAfter), nullptr);
  if (full) {
    return thread_.Post([this, task = std::move(task)] {
      task(errors::TooMany("reads of the job store", static_cast<std::int64_t>(queue_max_),
                           limits::kStoreRetryAfter),
           nullptr);
    });
  }
  thread_.Post([this, task = std::move(task)] { Run(task); });
}

void ReadThread::Run(const Task& task) {
  absl::Status status;
  {
    MutexLock lock(mutex_);
    --admitted_;
    status = closed_ ? errors::Draining(limits::kStoreRetryAfter) : refusal_;
  }
  task(status, status.ok() ? reads_.get() : nullptr);
}

void ReadThread::Refuse(absl::Status why) {
  MutexLock lock(mutex_);
  refusal_ = std::move(why);
}

void ReadThread::Close() {
  thread_.Post([this] {  // behind all that was posted
    MutexLock lock(mutex_);
    closed_ = true;
  });
  thread_.Close();
  reads_.reset();
  db_.reset();
}

}  // namespace gateway::store
