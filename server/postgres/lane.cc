#include "postgres/lane.h"

#include <chrono>
#include <utility>

#include "base/backoff.h"
#include "base/limits.h"

namespace gateway::postgres {

std::unique_ptr<Connection> ConnectToRead(const std::string& conninfo, Duration patience,
                                          const Told::Mark& told, const End* end) {
  auto connection = Connection::Open(conninfo, patience);
  connection->set_end(end);
  const Rows found =
      connection->Run(Statement("SELECT 1 FROM pictory.writers WHERE writer = $1 AND batch >= $2"
                                " AND gateway = $3 AND NOT pg_is_in_recovery()")
                          .Int(told.writer)
                          .Int(told.batch)
                          .Bytes(told.gateway));
  if (found.size() == 0) throw Error("", "this server is not the one that has the newest jobs");
  return connection;
}

Lane::Lane(Options options)
    : options_(std::move(options)),
      thread_({.name = "reads",
               .queue_max = options_.queue_max,
               .what = "reads of the job store",
               .retry_after = limits::kStoreRetryAfter,
               .at_close = BoundedThread::Waiting::kRefused}) {}

Lane::~Lane() { Close(); }

void Lane::Post(Task task) {
  thread_.Post([this, task = std::move(task)](const absl::Status& status) {
    task.done(status.ok() ? Read(task) : status);
  });
}

void Lane::Close() {
  thread_.Close();
  connection_.reset();
}

void Lane::Connect(const Told::Mark& told) {
  const MonoTime now = std::chrono::steady_clock::now();
  if (now < next_try_) throw Error("", "tried a moment ago");
  try {
    connection_ = ConnectToRead(options_.conninfo, limits::kStoreReplyMax, told, options_.end);
    writer_ = told.writer;
    failures_ = 0;
  } catch (const Error&) {
    next_try_ =
        now + Doubled(limits::kStoreReconnectFirst, failures_++, limits::kStoreReconnectMax);
    throw;
  }
}

absl::Status Lane::Read(const Task& task) {
  if (!task.read) return absl::OkStatus();
  for (int tries = 0;; ++tries) {
    const Told::Mark told = options_.told->Get();
    if (writer_ != told.writer) connection_.reset();
    const bool fresh = connection_ == nullptr;
    try {
      if (fresh) Connect(told);
      Reads reads(*connection_);
      task.read(reads);
      return absl::OkStatus();
    } catch (const NoAnswer& error) {
      connection_.reset();  // a read that takes so long once would do so again
      return ToStatus(error);
    } catch (const Error& error) {
      if (error.NeedsConnection()) {
        connection_.reset();
        if (fresh) return ToStatus(error);
      } else {
        if (connection_ != nullptr) connection_->Rollback();
        if (!error.ShouldRunAgain() || tries >= limits::kStoreConflictsMax) {
          options_.on_refused(error);
          return ToStatus(error);
        }
      }
    }
  }
}

}  // namespace gateway::postgres
