#include "store/group_committer.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "store/record_row.h"
#include "store/sqlite_status.h"

namespace gateway::store {
namespace {

void Execute(SQLite::Statement& statement) {
  StatementUse use(statement);
  use->exec();
}

}  // namespace

GroupCommitter::Statements::Statements(SQLite::Database& db, std::int64_t tombstones_max)
    : writes(db, tombstones_max),
      begin(db, "BEGIN IMMEDIATE"),
      commit(db, "COMMIT"),
      save(db, "SAVEPOINT one_write"),
      undo(db, "ROLLBACK TO one_write"),
      release(db, "RELEASE one_write") {}

GroupCommitter::GroupCommitter(SQLite::Database& db, StoreFiles& files, Options options)
    : db_(db),
      files_(files),
      options_(std::move(options)),
      statements_(std::in_place, db, options_.tombstones_max),
      thread_([this] { Run(); }) {}

GroupCommitter::~GroupCommitter() { Close(); }

void GroupCommitter::Post(Write write) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      absl::Status status;
      if (admitted_ >= options_.queue_max) {
        status = errors::TooMany("writes of the job store",
                                 static_cast<std::int64_t>(options_.queue_max),
                                 limits::kStoreRetryAfter);
        write.apply = nullptr;  // and with it what it holds; only the answer waits for its turn
      } else {
        ++admitted_;
      }
      queue_.push_back({std::move(write), std::move(status)});
      wake_.notify_one();
      return;
    }
  }
  write.done(errors::Draining(limits::kStoreRetryAfter));
}

void GroupCommitter::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  statements_.reset();
}

std::size_t GroupCommitter::queued() const {
  MutexLock lock(mutex_);
  return admitted_;
}

void GroupCommitter::Run() {
  for (Group group; NextGroup(group); group.clear()) {
    const bool was_well = failed_.ok();
    Commit(group);
    for (Pending& pending : group) {
      pending.write.apply = nullptr;
      pending.write.done(std::move(pending.status));
    }
    if (was_well && !failed_.ok() && options_.on_fatal) options_.on_fatal(failed_);
  }
}

bool GroupCommitter::NextGroup(Group& group) {
  MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) {
    if (!failed_.ok()) {
      wake_.wait(mutex_);
    } else if (wake_.wait_until(mutex_, next_look_) == std::cv_status::timeout) {
      break;
    }
  }
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < options_.group_max &&
         bytes < limits::kStoreGroupMaxBytes) {
    Pending& next = queue_.front();
    if (next.status.ok()) --admitted_;
    bytes += next.write.bytes;
    group.push_back(std::move(next));
    queue_.pop_front();
  }
  closed_ = group.empty() && closing_;
  return !closed_;
}

void GroupCommitter::Commit(Group& group) {
  if (!failed_.ok()) {
    for (Pending& pending : group) pending.status = failed_;
    return;
  }
  if (absl::Status lost = CheckFiles(); !lost.ok()) {
    return Fail(group, std::string(lost.message()));
  }
  try {
    Apply(group);
  } catch (const SQLite::Exception& error) {
    Fail(group, Describe(error));
  } catch (const std::exception& error) {
    Fail(group, error.what());
  }
}

absl::Status GroupCommitter::CheckFiles() {
  const MonoTime now = std::chrono::steady_clock::now();
  if (now < next_look_) return files_.CheckAtCommit();
  next_look_ = now + options_.look_every;
  return files_.Check();
}

void GroupCommitter::Apply(Group& group) {
  std::size_t applied = 0;
  for (Pending& pending : group) {
    if (!pending.status.ok()) continue;  // refused at the door
    if (applied++ == 0) Execute(statements_->begin);
    ApplyOne(pending);
  }
  if (applied == 0) return;
  if (options_.before_commit) {
    if (absl::Status status = options_.before_commit(applied); !status.ok()) {
      Fail(group, std::string(status.message()));
      return;
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  Execute(statements_->commit);
  const Duration took = std::chrono::steady_clock::now() - begun;
  commit_time_.fetch_add(took.count(), std::memory_order_relaxed);
  commits_.fetch_add(1, std::memory_order_relaxed);
  files_.NoteCommit();
  // A write in a file that nobody will find again is not stored.
  if (absl::Status lost = files_.CheckAtCommit(); !lost.ok())
    Fail(group, std::string(lost.message()));
}

void GroupCommitter::ApplyOne(Pending& pending) {
  Execute(statements_->save);
  try {
    pending.status = pending.write.apply(statements_->writes);
  } catch (const SQLite::Exception& error) {
    if (!IsConflict(error)) throw;
    pending.status = Conflict(error);
  }
  if (!pending.status.ok()) Execute(statements_->undo);
  Execute(statements_->release);
}

void GroupCommitter::Fail(Group& group, const std::string& detail) {
  // SQLite has rolled back already where the error left it no choice. If this rollback fails too,
  // closing the connection does it: nothing is committed any more.
  try {
    db_.exec("ROLLBACK");
  } catch (const SQLite::Exception&) {
  }
  failed_ = errors::StoreFailed(detail);
  for (Pending& pending : group) pending.status = failed_;
}

}  // namespace gateway::store
