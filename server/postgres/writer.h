// Writer is the one writer of a store: a thread that makes writes durable in groups, each of them
// one transaction.
//
// An idle writer commits a write at once. The writes that arrive meanwhile are the next group. A
// group that PostgreSQL refuses is run once more, write by write, so that only those fail that are
// to blame; and so is one that waits for a locked row. `done` runs after the commit, on this
// thread, under no lock; of one job, in the order of Post.
//
// What is said of a write is true: if the connection breaks while a COMMIT is under way, the writer
// connects again and reads whether it was done before it says anything. While PostgreSQL is away
// the writer goes on trying; writes that have waited for limits::kStoreAwayWait get UNAVAILABLE,
// and so do new submits, at once.
//
// It keeps the gateway's lease, too, whatever else is to do (postgres/lease.h). Gateways that lost
// sight of it for long end its session; it goes on with a new one.
//
// What ends the writer by itself is final: a newer process has the gateway's name, a server lacks
// what callers were told is stored, or a newer program has made the store its own. It refuses
// everything then, and reports once to `on_fatal`. Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "jobs/job_key.h"
#include "postgres/session.h"
#include "postgres/writes.h"

namespace gateway::postgres {

class Writer {
 public:
  struct Options {
    std::string conninfo;
    Identity identity;
    std::size_t queue_max = 0;
    std::size_t group_max = 0;
    std::int64_t feed_max = 0;
    Duration away_wait{};
    Told* told = nullptr;  // what it sets; these three outlive the writer
    const End* end = nullptr;
    const jobs::SubmitLimitsOf* limits_of = nullptr;  // set before the first submit
    std::function<void(const Error&)> on_refused;     // by PostgreSQL, on a connection that lives
    std::function<void(absl::Status)> on_fatal;       // these three may be empty
    std::function<void(std::string)> on_away;         // why; each reason once, until it is back
    std::function<void()> on_back;
  };

  struct Write {
    // Either a change, which can go with others, or what runs alone in its transaction. Both may
    // run several times.
    std::shared_ptr<Change> change;
    std::function<absl::Status(Writes&)> apply;
    jobs::JobKey job;  // that `apply` writes; empty: no certain one
    std::function<void(absl::Status)> done;
    std::size_t bytes = 0;  // of large values, to keep groups short
  };

  Writer(Options options, Session first);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Hands in a write. If the queue is full, `done` gets RESOURCE_EXHAUSTED, in its turn; if the
  // writer is closed, or this is a submit and PostgreSQL is away, UNAVAILABLE, inside the call.
  void Post(Write write) EXCLUDES(mutex_);

  // Commits what was posted, gives the lease back and ends the thread. What is not committed by
  // Options::end is refused. Not to be called from a callback.
  void Close() EXCLUDES(mutex_);

  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  // How long they took together; what else a group does is not counted.
  Duration commit_time() const { return Duration(commit_time_.load(std::memory_order_relaxed)); }
  std::size_t queued() const EXCLUDES(mutex_);
  // Whether PostgreSQL cannot be reached.
  bool away() const EXCLUDES(mutex_);

 private:
  struct Pending {
    Write write;
    MonoTime posted{};
    absl::Status status;
  };
  using Group = std::vector<Pending>;

  void Run();
  bool NextGroup(Group& group) EXCLUDES(mutex_);
  void Answer(Group& group);
  // Gives each write of the group its status.
  void Finish(Group& group);
  // The number of a transaction of which it is not known whether it was done.
  using Doubt = std::optional<std::int64_t>;
  // Runs the group as one transaction. Throws; sets `doubt` if it is not known whether it was done.
  void Transact(Group& group, bool one_by_one, Doubt& doubt);
  void Apply(Group& group, bool one_by_one, Writes& writes);
  void ApplyOne(Pending& pending, Writes& writes);
  void Renew();
  // Begins a session, which knows what became of `doubt`. Returns false if PostgreSQL is away.
  bool Connect(const Doubt& doubt);
  absl::Status Refused(const Error& error);
  void Drop(std::string why);
  void Pause() EXCLUDES(mutex_);
  bool GivesUp(const Group& group, const Doubt& doubt) const;
  void RefuseLate(const Group& group) EXCLUDES(mutex_);
  void Fail(const std::exception& why);

  const Options options_;
  // The writer's thread only.
  std::optional<Session> session_;
  absl::Status failed_;
  std::set<std::string> told_away_;  // why, until it is back
  int failures_ = 0;
  MonoTime next_renewal_{};

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  std::size_t admitted_ GUARDED_BY(mutex_) = 0;  // in queue_ and not refused
  bool away_ GUARDED_BY(mutex_) = false;
  bool closing_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;

  std::atomic<std::uint64_t> commits_{0};
  std::atomic<Duration::rep> commit_time_{0};
  std::thread thread_;
};

}  // namespace gateway::postgres
