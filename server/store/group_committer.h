// GroupCommitter is the one writer of a store: a thread that makes writes durable in groups.
//
// An idle writer commits a write at once. The writes that arrive meanwhile are the next group, so
// the number of disk flushes follows the speed of the disk and not the load. Within a group every
// write has its own savepoint, so a refused one leaves its neighbours alone. `done` runs after the
// commit, on this thread, under no lock, in the order of Post.
//
// If a group cannot be committed, each of its writes gets an error, and nothing of it is in the
// file. The writer has failed then: it refuses everything from then on and reports once to
// `on_fatal`. The same happens if its files are found lost (store_files.h), before a commit, after
// it, or while there is nothing to write. Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/job_writes.h"
#include "store/store_files.h"

namespace gateway::store {

class GroupCommitter {
 public:
  struct Options {
    std::size_t queue_max = 0;
    std::size_t group_max = 0;
    std::int64_t tombstones_max = limits::kTombstonesMax;
    Duration look_every{};                                   // at all of the files
    std::function<void(absl::Status)> on_fatal;              // may be empty
    std::function<absl::Status(std::size_t)> before_commit;  // may be empty; see SqliteOptions
  };

  struct Write {
    std::function<absl::Status(JobWrites&)> apply;
    std::function<void(absl::Status)> done;
    std::size_t bytes = 0;  // of large values, to keep groups short
  };

  // `db` and its `files` must not end before Close returned, nor be used by anybody else.
  GroupCommitter(SQLite::Database& db, StoreFiles& files, Options options);
  ~GroupCommitter();
  GroupCommitter(const GroupCommitter&) = delete;
  GroupCommitter& operator=(const GroupCommitter&) = delete;

  // Hands in a write. If the queue is full, `done` gets RESOURCE_EXHAUSTED, in its turn; if the
  // writer is closed, UNAVAILABLE, inside the call.
  void Post(Write write) EXCLUDES(mutex_);

  // Commits what was posted, then ends the thread. Not to be called from `done` or `on_fatal`.
  void Close() EXCLUDES(mutex_);

  // Once closed: OK, or why it stopped writing.
  const absl::Status& failed() const { return failed_; }

  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  // How long they took together; what else a group does is not counted.
  Duration commit_time() const { return Duration(commit_time_.load(std::memory_order_relaxed)); }
  std::size_t queued() const EXCLUDES(mutex_);

 private:
  struct Pending {
    Write write;
    absl::Status status;
  };
  using Group = std::vector<Pending>;

  struct Statements {
    Statements(SQLite::Database& db, std::int64_t tombstones_max);
    JobWrites writes;
    SQLite::Statement begin;
    SQLite::Statement commit;
    SQLite::Statement save;
    SQLite::Statement undo;
    SQLite::Statement release;
  };

  void Run();
  // Takes the next group, which is empty if it is time to look at the files. Returns false if there
  // is nothing left and nothing more to come.
  bool NextGroup(Group& group) EXCLUDES(mutex_);
  absl::Status CheckFiles();
  void Commit(Group& group);
  void Apply(Group& group);
  void ApplyOne(Pending& pending);
  void Fail(Group& group, const std::string& detail);

  SQLite::Database& db_;
  StoreFiles& files_;
  const Options options_;
  std::optional<Statements> statements_;  // none once closed, so that `db` can be
  absl::Status failed_;                   // these two: the writer's thread only
  MonoTime next_look_{};

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  std::size_t admitted_ GUARDED_BY(mutex_) = 0;  // in queue_ and not refused
  bool closing_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;

  std::atomic<std::uint64_t> commits_{0};
  std::atomic<Duration::rep> commit_time_{0};
  std::thread thread_;
};

}  // namespace gateway::store
