// An Audience is the watchers of one job, inside the hub. It tells them of the job's newest state
// in slices, so that a crowd does not hold up the watchers of other jobs.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "jobs/hub.h"

namespace gateway::jobs {

// What the audiences of a hub share. They keep it alive, so it can outlive the hub.
struct Hub::Shared {
  explicit Shared(WorkThread& b) : broadcaster(b) {}

  WorkThread& broadcaster;
  WatchersChanged changed;
  std::atomic<std::size_t> watchers{0};
};

class Hub::Audience : public std::enable_shared_from_this<Hub::Audience> {
 public:
  Audience(std::shared_ptr<Shared> shared, JobKey key, SnapshotPtr latest)
      : shared_(std::move(shared)), key_(std::move(key)), latest_(std::move(latest)) {}

  JobKeyView key() const { return ViewOf(key_); }

  bool empty() {
    MutexLock lock(mutex_);
    return watchers_.empty();
  }

  WatcherPlace Join(std::weak_ptr<Watcher> watcher, std::uint64_t connection);
  void Leave(const WatcherPlace& place);

  // Tells everybody, some time soon. Revisions may arrive out of order; only a higher one counts.
  void Tell(SnapshotPtr snapshot);
  // Tells everybody that the job is gone, some time soon. Nothing is told after it.
  void Dismiss();

 private:
  void TellAll() REQUIRES(mutex_);
  bool TellSome();
  void NoteCount() REQUIRES(mutex_);

  const std::shared_ptr<Shared> shared_;
  const JobKey key_;

  Mutex mutex_;
  SnapshotPtr latest_ GUARDED_BY(mutex_);
  // Ordered, so that a round can be resumed, whoever came or went meanwhile.
  std::map<WatcherPlace, std::weak_ptr<Watcher>> watchers_ GUARDED_BY(mutex_);
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  WatcherPlace told_ GUARDED_BY(mutex_);  // last in this round
  bool telling_ GUARDED_BY(mutex_) = false;
  bool again_ GUARDED_BY(mutex_) = false;  // something newer came during the round
  bool gone_ GUARDED_BY(mutex_) = false;
  bool noting_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
