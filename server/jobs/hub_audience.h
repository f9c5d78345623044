// The watchers of one job, inside the hub: told of its newest state in slices.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "jobs/hub.h"

namespace gateway::jobs {

// What a hub's audiences share; outlives the hub through them.
struct Hub::Shared {
  explicit Shared(Broadcaster& b) : broadcaster(b) {}

  Broadcaster& broadcaster;
  WatchersChanged changed;
  std::atomic<std::size_t> watchers{0};
};

class Hub::Audience : public std::enable_shared_from_this<Hub::Audience> {
 public:
  Audience(std::shared_ptr<Shared> shared, std::string tenant, std::string job_id,
           SnapshotPtr latest)
      : shared_(std::move(shared)),
        tenant_(std::move(tenant)),
        job_id_(std::move(job_id)),
        latest_(std::move(latest)) {}

  std::uint64_t Join(std::weak_ptr<Watcher> watcher);
  void Leave(std::uint64_t id);

  // Tells everybody, some time soon. Revisions may arrive out of order; only a higher one counts.
  void Tell(SnapshotPtr snapshot);

 private:
  bool TellSome();
  void NoteCount() REQUIRES(mutex_);

  const std::shared_ptr<Shared> shared_;
  const std::string tenant_;
  const std::string job_id_;

  Mutex mutex_;
  SnapshotPtr latest_ GUARDED_BY(mutex_);
  // By id, so that a round can be resumed whoever came or went meanwhile.
  std::map<std::uint64_t, std::weak_ptr<Watcher>> watchers_ GUARDED_BY(mutex_);
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::uint64_t next_ GUARDED_BY(mutex_) = 0;  // where the round goes on
  bool telling_ GUARDED_BY(mutex_) = false;
  bool again_ GUARDED_BY(mutex_) = false;  // something newer came during the round
  bool noting_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
