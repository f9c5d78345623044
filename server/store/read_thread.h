// ReadThread is a lane of a store's reads: a thread with a read-only connection, so that reading
// never waits for a disk flush of the writer, nor for another lane. Callbacks run on this thread,
// in the order of Post. Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <functional>
#include <memory>

#include "SQLiteCpp/Database.h"
#include "absl/status/status.h"
#include "base/work_thread.h"
#include "store/job_reads.h"

namespace gateway::store {

class ReadThread {
 public:
  // Gets the reads if the status is OK, else null. It calls the caller's callback either way.
  using Task = std::function<void(absl::Status, JobReads*)>;

  ReadThread(std::unique_ptr<SQLite::Database> db, std::size_t queue_max);
  ~ReadThread();
  ReadThread(const ReadThread&) = delete;
  ReadThread& operator=(const ReadThread&) = delete;

  // Hands in a task. If the queue is full, the task gets RESOURCE_EXHAUSTED, in its turn; if the
  // lane is closed, UNAVAILABLE, inside the call.
  void Post(Task task) EXCLUDES(mutex_);

  // Makes all tasks from now on get `why`; nothing is read any more.
  void Refuse(absl::Status why) EXCLUDES(mutex_);

  // Answers what was posted, then ends the thread and closes the connection. Not to be called from
  // a task.
  void Close() EXCLUDES(mutex_);

 private:
  void Run(const Task& task) EXCLUDES(mutex_);

  const std::size_t queue_max_;
  std::unique_ptr<SQLite::Database> db_;
  std::unique_ptr<JobReads> reads_;

  Mutex mutex_;
  std::size_t admitted_ GUARDED_BY(mutex_) = 0;  // that wait, and were not refused
  absl::Status refusal_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  WorkThread thread_{"reads"};  // last: its tasks use the others
};

}  // namespace gateway::store
