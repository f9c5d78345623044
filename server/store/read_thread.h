// ReadThread is a lane of a store's reads: a thread with a read-only connection, so that reading
// never waits for a disk flush of the writer, nor for another lane. Callbacks run on this thread,
// in the order of Post. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "SQLiteCpp/Database.h"
#include "absl/status/status.h"
#include "base/bounded_thread.h"
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

  // As BoundedThread.
  void Post(Task task);

  // Makes all tasks from now on get `why`; nothing is read any more.
  void Refuse(absl::Status why) { thread_.Refuse(std::move(why)); }

  // Answers what was posted, then ends the thread and closes the connection. Not to be called from
  // a task.
  void Close();

 private:
  std::unique_ptr<SQLite::Database> db_;
  std::unique_ptr<JobReads> reads_;

  BoundedThread thread_;  // last: its tasks use the others
};

}  // namespace gateway::store
