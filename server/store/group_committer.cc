#include "store/group_committer.h"

#include <exception>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "store/record_row.h"
#include "store/sqlite_status.h"

namespace gateway::store {
namespace {

constexpr std::chrono::seconds kRetryAfter{1};

void Execute(SQLite::Statement& statement) {
  StatementUse use(statement);
  use->exec();
}

}  // namespace

GroupCommitter::GroupCommitter(SQLite::Database& db, Options options)
    : db_(db),
      options_(std::move(options)),
      writes_(db),
      begin_(db, "BEGIN IMMEDIATE"),
      commit_(db, "COMMIT"),
      save_(db, "SAVEPOINT one_write"),
      undo_(db, "ROLLBACK TO one_write"),
      release_(db, "RELEASE one_write"),
      thread_([this] { Run(); }) {}

GroupCommitter::~GroupCommitter() { Close(); }

void GroupCommitter::Post(Write write) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      absl::Status status;
      if (admitted_ >= options_.queue_max) {
        status = errors::TooMany("writes of the job store",
                                 static_cast<std::int64_t>(options_.queue_max), kRetryAfter);
        write.apply = nullptr;  // and with it what it holds; only the answer waits for its turn
      } else {
        ++admitted_;
      }
      queue_.push_back({std::move(write), std::move(status)});
      wake_.notify_one();
      return;
    }
  }
  write.done(errors::Draining(kRetryAfter));
}

void GroupCommitter::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::size_t GroupCommitter::queued() const {
  MutexLock lock(mutex_);
  return admitted_;
}

void GroupCommitter::Run() {
  for (Group group = NextGroup(); !group.empty(); group = NextGroup()) {
    const bool was_well = failed_.ok();
    Commit(group);
    for (Pending& pending : group) {
      pending.write.apply = nullptr;
      pending.write.done(std::move(pending.status));
    }
    if (was_well && !failed_.ok() && options_.on_fatal) options_.on_fatal(failed_);
  }
}

GroupCommitter::Group GroupCommitter::NextGroup() {
  Group group;
  MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) wake_.wait(mutex_);
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < options_.group_max && bytes < limits::kStoreGroupMaxBytes) {
    Pending& next = queue_.front();
    if (next.status.ok()) --admitted_;
    bytes += next.write.bytes;
    group.push_back(std::move(next));
    queue_.pop_front();
  }
  if (group.empty()) closed_ = true;
  return group;
}

void GroupCommitter::Commit(Group& group) {
  if (!failed_.ok()) {
    for (Pending& pending : group) pending.status = failed_;
    return;
  }
  try {
    Apply(group);
  } catch (const SQLite::Exception& error) {
    Fail(group, Describe(error));
  } catch (const std::exception& error) {
    Fail(group, error.what());
  }
}

void GroupCommitter::Apply(Group& group) {
  std::size_t applied = 0;
  for (Pending& pending : group) {
    if (!pending.status.ok()) continue;  // refused at the door
    if (applied++ == 0) Execute(begin_);
    ApplyOne(pending);
  }
  if (applied == 0) return;
  if (options_.before_commit) {
    if (absl::Status status = options_.before_commit(applied); !status.ok()) {
      Fail(group, std::string(status.message()));
      return;
    }
  }
  Execute(commit_);
  commits_.fetch_add(1, std::memory_order_relaxed);
}

void GroupCommitter::ApplyOne(Pending& pending) {
  Execute(save_);
  try {
    pending.status = pending.write.apply(writes_);
  } catch (const SQLite::Exception& error) {
    if (!IsConflict(error)) throw;
    pending.status = Conflict(error);
  }
  if (!pending.status.ok()) Execute(undo_);
  Execute(release_);
}

void GroupCommitter::Fail(Group& group, const std::string& detail) {
  // SQLite has rolled back already where the error left it no choice. If this fails too, closing
  // the connection does it: nothing is committed any more.
  try {
    db_.exec("ROLLBACK");
  } catch (const SQLite::Exception&) {
  }
  failed_ = errors::StoreFailed(detail);
  for (Pending& pending : group) pending.status = failed_;
}

}  // namespace gateway::store
