#include "store/read_thread.h"

#include <utility>

#include "base/limits.h"

namespace gateway::store {

ReadThread::ReadThread(std::unique_ptr<SQLite::Database> db, std::size_t queue_max)
    : db_(std::move(db)),
      reads_(std::make_unique<JobReads>(*db_)),
      thread_({.name = "reads",
               .queue_max = queue_max,
               .what = "reads of the job store",
               .retry_after = limits::kStoreRetryAfter}) {}

ReadThread::~ReadThread() { Close(); }

void ReadThread::Post(Task task) {
  thread_.Post([this, task = std::move(task)](const absl::Status& status) {
    task(status, status.ok() ? reads_.get() : nullptr);
  });
}

void ReadThread::Close() {
  thread_.Close();
  reads_.reset();
  db_.reset();
}

}  // namespace gateway::store
