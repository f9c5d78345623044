// Hub is what the gateway knows about jobs right now, in memory, and who watches them.
//
// It holds the newest snapshot of every unfinished job, the finished jobs that were used last, and
// the watchers of each job. It asks the store only for jobs that it does not hold, and only once
// for all who ask for a job at the same time. It is thread-safe; its locks are short and sharded,
// so reading a job is cheap at any load.
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/work_thread.h"
#include "jobs/job_key.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"

namespace gateway::jobs {

// The place of a watcher among the watchers of its job.
struct WatcherPlace {
  std::uint64_t connection = 0;  // any number; see Hub::Subscribe
  std::uint64_t id = 0;

  auto operator<=>(const WatcherPlace&) const = default;
};

// A Watcher hears of a job's new states. It does not hear of every one: it hears of the newest at
// the time it is told, and always of the final one.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Runs on the broadcaster's thread, under no lock, and must not block. It may be given a revision
  // again, or an older one.
  virtual void OnSnapshot(const SnapshotPtr& snapshot) = 0;
  // The job does not exist under this name any more; nothing is told after it. The rules of
  // OnSnapshot hold.
  virtual void OnGone() = 0;
};

struct HubOptions {
  std::size_t finished_max = limits::kFinishedJobsCachedMax;
  std::size_t finished_max_bytes = limits::kFinishedJobsMaxBytes;
};

class Hub {
  class Shard;
  class Audience;

 public:
  // A subscription ends when this object is destroyed; a call to the watcher may still be under way
  // then.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { Reset(); }
    void Reset();

   private:
    friend class Hub;
    std::shared_ptr<Audience> audience_;
    WatcherPlace place_;
  };
  struct Subscribed {
    Subscription subscription;
    SnapshotPtr present;  // null: the job is not in memory, and nothing was subscribed
  };

  using LoadDone = std::function<void(absl::StatusOr<SnapshotPtr>)>;
  // Hears how many watch a job now. Runs on the broadcaster's thread, in order; the last call is
  // right.
  using WatchersChanged =
      std::function<void(const std::string& tenant, const std::string& job_id, std::size_t count)>;

  // `jobs` and `broadcaster` must outlive the hub and its subscriptions.
  Hub(HubOptions options, Jobs& jobs, WorkThread& broadcaster);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Called once, before the first Subscribe.
  void SetWatchersChanged(WatchersChanged listener);

  // Sets what is called once for each job that was here unfinished and is here as ended, whoever
  // has ended it and however that became known; under no lock. Who stored the end tells of it for
  // all processes (Ledger::ObserveEnds). Called once, before the first Publish.
  void SetEnded(std::function<void(const JobRecord&)> ended) { ended_ = std::move(ended); }

  // Keeps the job and tells its watchers, unless the hub has a revision as high already. Returns
  // the newest.
  SnapshotPtr Publish(const JobRecord& record);
  SnapshotPtr Publish(Job job) { return Publish(JobRecord{.job = std::move(job)}); }

  // Finds a job by its job_id or Pictory's id, in memory only. Null if it is not here.
  SnapshotPtr Find(const std::string& tenant, const std::string& name);

  // Sets what says whether a snapshot in memory can be given to a caller although another process
  // may have changed the job. Called once, before the first Load; until then each can.
  void SetCurrent(std::function<bool(const Snapshot&)> current) { current_ = std::move(current); }

  // Gets a job by either name: from memory at once, inside the call, if it is there, can be given
  // to callers and has this revision or a later one; else from the store. NOT_FOUND if the store
  // does not know it. If the store cannot be reached, a job in memory is given as it is there, but
  // to nobody who knows a later revision.
  void Load(const std::string& tenant, const std::string& name, LoadDone done,
            std::int32_t revision = 0);

  using ReadDone = std::function<void(absl::StatusOr<std::optional<JobRecord>>)>;
  // Reads a job from the store because another process may have changed it, and publishes what it
  // finds. None if there is no such job, if the job goes on under another name, or if it was
  // forgotten while the store was asked.
  void Refresh(const JobKey& key, ReadDone done) { Refresh(key, nullptr, std::move(done)); }

  // Does not keep the watcher alive. Watchers of one job that have the same `connection` (any
  // number) are told one after the other, because what is written to one connection at a time goes
  // out in fewer system calls.
  Subscribed Subscribe(const std::string& tenant, const std::string& job_id,
                       std::weak_ptr<Watcher> watcher, std::uint64_t connection = 0);

  // To be called when another process has changed a job that is not in memory here: who is reading
  // it just now reads it once more.
  void NoteChanged(const std::string& tenant, const std::string& job_id);

  // To be called when the job was deleted, or goes on under another name.
  void Forget(const std::string& tenant, const std::string& job_id);

  // To be called when other processes may have changed or deleted any job, and nobody says which.
  // Drops the finished jobs in memory, which are read from the store when they are asked for; who
  // is reading a job just now reads it once more. The unfinished ones are the caller's to look at.
  void MissedChanges();

  // The jobs in memory that have not ended.
  std::vector<JobKey> Unfinished() const;

  // Drops the unfinished jobs in memory that nobody watches, as far as `drops` says so.
  void DropUnwatched(const std::function<bool(const Snapshot&)>& drops);

  std::size_t unfinished() const;
  std::size_t finished_cached() const;
  std::size_t watchers() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Shared;
  struct Loading {
    struct Waiting {
      std::int32_t revision = 0;
      LoadDone done;
    };
    std::vector<Waiting> waiting;
    std::vector<std::string> forgotten;  // job ids that went since the store was asked
    std::vector<std::string> changed;    // job ids that changed since
    bool again = false;                  // it is asked the second time, because of that
    bool missed = false;                 // any job may have changed since, or gone
    SnapshotPtr shown;                   // what was found by a look that came too early for that
  };

  struct Refreshing {
    JobKey key;
    bool forgotten = false;  // since the store was asked
    bool missed = false;     // it may have changed since, or gone
  };

  Shard& ShardOf(const JobKeyView& key) const;
  bool IsCurrent(const Snapshot& job) const { return job.final() || !current_ || current_(job); }
  void Ask(const JobKey& key);
  void OnLoaded(const JobKey& key, absl::StatusOr<std::optional<JobRecord>> found);
  // `shown`: what an earlier look has found, which is dropped if there is no such job.
  void Refresh(const JobKey& key, const SnapshotPtr& shown, ReadDone done);
  // Drops this state of a job, if it is the newest.
  void DropShown(const SnapshotPtr& shown);
  void Erase(const std::string& tenant, const std::string& job_id);
  void Unindex(const std::vector<SnapshotPtr>& gone);

  Jobs& jobs_;
  const std::shared_ptr<Shared> shared_;
  std::function<void(const JobRecord&)> ended_;
  std::function<bool(const Snapshot&)> current_;  // null: each is
  std::array<std::unique_ptr<Shard>, kShards> shards_;

  Mutex mutex_;
  std::unordered_map<JobKey, Loading> loading_ GUARDED_BY(mutex_);
  std::list<Refreshing> refreshing_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
