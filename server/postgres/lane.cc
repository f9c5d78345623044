#include "postgres/lane.h"

#include <chrono>
#include <utility>

#include "base/backoff.h"
#include "base/errors.h"
#include "base/limits.h"

namespace gateway::postgres {

Lane::Lane(std::string conninfo, std::size_t queue_max)
    : conninfo_(std::move(conninfo)), queue_max_(queue_max), thread_([this] { Run(); }) {}

Lane::~Lane() { Close(); }

void Lane::Post(Task task) {
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
  task.done(errors::Draining(limits::kStoreRetryAfter));
}

void Lane::Refuse(absl::Status why) {
  MutexLock lock(mutex_);
  refusal_ = std::move(why);
}

void Lane::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Lane::Run() {
  for (Pending pending; Next(pending);) {
    if (pending.status.ok()) pending.status = Read(pending.task);
    pending.task.done(std::move(pending.status));
    pending.task = {};
  }
  connection_.reset();
}

bool Lane::Next(Pending& pending) {
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

void Lane::Connect() {
  const MonoTime now = std::chrono::steady_clock::now();
  if (now < next_try_) throw Error("", "tried a moment ago");
  try {
    connection_ = Connection::Open(conninfo_, limits::kStoreReplyMax);
    failures_ = 0;
  } catch (const Error&) {
    next_try_ =
        now + Doubled(limits::kStoreReconnectFirst, failures_++, limits::kStoreReconnectMax);
    throw;
  }
}

absl::Status Lane::Read(const Task& task) {
  for (int tries = 0;; ++tries) {
    const bool fresh = connection_ == nullptr;
    try {
      if (fresh) Connect();
      Reads reads(*connection_);
      task.read(reads);
      return absl::OkStatus();
    } catch (const Error& error) {
      if (error.NeedsConnection()) {
        connection_.reset();
        if (fresh) return ToStatus(error);
      } else {
        connection_->Rollback();
        if (!error.ShouldRunAgain() || tries >= limits::kStoreConflictsMax) return ToStatus(error);
      }
    }
  }
}

}  // namespace gateway::postgres
