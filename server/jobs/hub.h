// What the gateway knows about jobs right now, in memory, and who wants to hear of changes.
//
// Holds the newest snapshot of every unfinished job, the finished ones used last, and the watchers
// of each job. The store is asked only for jobs that are not here; what was asked for at once is
// asked for once. Thread-safe; the locks are short and sharded, so reading a job is cheap at any
// load.
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/work_thread.h"
#include "jobs/job_key.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"

namespace gateway::jobs {

// Where a watcher stands among those of its job.
struct WatcherPlace {
  std::uint64_t connection = 0;  // any number; see Hub::Subscribe
  std::uint64_t id = 0;

  auto operator<=>(const WatcherPlace&) const = default;
};

// Hears of a job's new states. Not of every one: of the newest at the time it is told, and always
// of the final one.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // On the broadcaster's thread, under no lock. May see a revision again, or an older one. Must not
  // block.
  virtual void OnSnapshot(const SnapshotPtr& snapshot) = 0;
  // The job is no more under this name, and nothing comes after it. The same rules.
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
  // Ends when it goes; a call to the watcher may still be under way then.
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
  // How many watch a job now. On the broadcaster's thread, in order, the last call being true.
  using WatchersChanged =
      std::function<void(const std::string& tenant, const std::string& job_id, std::size_t count)>;

  // Both must outlive the hub and its subscriptions.
  Hub(HubOptions options, Jobs& jobs, WorkThread& broadcaster);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Once, before the first Subscribe.
  void SetWatchersChanged(WatchersChanged listener);

  // Who hears of each job that ends, once. Called under no lock; once, before the first Publish.
  void SetEnded(std::function<void(const Job&)> ended) { ended_ = std::move(ended); }

  // Tells watchers, unless a revision as high is here already. Returns the newest.
  SnapshotPtr Publish(const Job& job);
  SnapshotPtr Publish(const JobRecord& record) { return Publish(record.job); }

  // By job_id or Pictory's id; memory only. Null if it is not here.
  SnapshotPtr Find(const std::string& tenant, const std::string& name);

  // From memory, at once and inside the call, or else from the store. NOT_FOUND if nobody knows it.
  void Load(const std::string& tenant, const std::string& name, LoadDone done);

  // Does not keep the watcher alive. Those of a job with the same `connection`, any number, are
  // told one after the other: what is written to one connection at a time goes out in fewer system
  // calls.
  Subscribed Subscribe(const std::string& tenant, const std::string& job_id,
                       std::weak_ptr<Watcher> watcher, std::uint64_t connection = 0);

  // The job was deleted, or goes on under another name.
  void Forget(const std::string& tenant, const std::string& job_id);

  std::size_t unfinished() const;
  std::size_t finished_cached() const;
  std::size_t watchers() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Shared;
  struct Loading {
    std::vector<LoadDone> waiting;
    std::vector<std::string> forgotten;  // job ids deleted since the store was asked
  };

  Shard& ShardOf(const JobKeyView& key) const;
  // `ended`, if it is not null: whether the job was unfinished until now.
  SnapshotPtr Keep(SnapshotPtr snapshot, bool* ended = nullptr);
  void OnLoaded(const JobKey& key, absl::StatusOr<std::optional<JobRecord>> found);

  Jobs& jobs_;
  const std::shared_ptr<Shared> shared_;
  std::function<void(const Job&)> ended_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;

  Mutex mutex_;
  std::unordered_map<JobKey, Loading> loading_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
