// ShardKeeper keeps this process's shards: it renews their leases, and says which shards came and
// went. It is for a store that several processes share.
//
// While the store cannot be reached the leases run out by themselves (jobs/shards.h). Once it can
// be reached again, shards that nobody else has had meanwhile go on as if nothing had been.
//
// Thread-safe. Its work runs on the threads of the timers and of the store. What is passed to the
// constructor must outlive it and, after Stop(), the calls in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/shards.h"
#include "jobs/store.h"

namespace gateway::jobs {

struct ShardEvents {
  // An unfinished job of a shard that has come. It may have changed since it was read.
  std::function<void(const JobRecord&)> found;
  // A job of such a shard with a notification to be delivered, and one that is archiving.
  Leases::TakeName notifying;
  Leases::TakeName archiving;
  // Shards have gone: Shards::Has says which there are.
  std::function<void()> lost;
  // After each renewal, on a thread of the store.
  std::function<void(const Holding&)> renewed;
};

class ShardKeeper {
 public:
  ShardKeeper(Shards& shards, Leases& leases, Sharing& sharing, const Clock& clock, Timers& timers,
              ShardEvents events);
  ShardKeeper(const ShardKeeper&) = delete;
  ShardKeeper& operator=(const ShardKeeper&) = delete;

  // Takes the first shards, then renews for as long as the process lives.
  void Start();
  // Has other processes take over all shards, and this one renew without them, if there are others.
  void Leave();
  // So many processes take a share of the shards: if others came or went, this one renews at once.
  // For one thread.
  void OnSharers(int sharers);
  // Hands over the jobs of all shards anew, because changes of them may have been missed.
  void ReadAnew();
  // No renewal starts after this. The store gives the shards back when it closes.
  void Stop() { next_.Stop(); }

 private:
  void Renew();
  void OnRenewed(absl::StatusOr<Holding> holding);
  // Reads what has not been read yet.
  void Read();
  void ReadNames(const std::vector<std::int32_t>& shards);
  void EndRead(const std::vector<std::int32_t>& shards, const absl::Status& read);

  Shards& shards_;
  Leases& leases_;
  Sharing& sharing_;
  const Clock& clock_;
  const ShardEvents events_;
  NextCall next_;
  int sharers_ = 0;  // as told last

  Mutex mutex_;
  std::set<std::int32_t> unread_ GUARDED_BY(mutex_);  // their jobs are to be read
  bool reading_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
