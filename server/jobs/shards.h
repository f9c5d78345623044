// Shards says which shards of the jobs this process looks after: it polls their jobs, sends those
// that wait, and looks for what became of those that are UNCONFIRMED.
//
// A process that is alone with its store has all of them for ever. Another has those that the store
// has leased to it (jobs/store.h, Leases), until the lease runs out by the time since its machine's
// boot, which goes on while the machine is suspended.
// Thread-safe; a question costs a load.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/random.h"
#include "jobs/store.h"

namespace gateway::jobs {

class Shards {
 public:
  // `clock` must outlive this.
  Shards(bool alone, const Clock& clock);
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  bool alone() const { return alone_; }

  // Whether the store has given the shard to this process. The lease may have run out since.
  bool Has(std::int32_t shard) const { return UntilOf(shard) != kNever; }
  // Whether this process has the shard, and nobody else can.
  bool Holds(std::int32_t shard) const {
    const BootTime::rep until = UntilOf(shard);
    return until == kAlways ||
           (until != kNever && until > clock_.BootNow().time_since_epoch().count());
  }
  // Since when it has the shard; for ever if it is alone.
  MonoTime HeldSince(std::int32_t shard) const {
    return MonoTime(Duration(since_[static_cast<std::uint32_t>(shard) % limits::kShards].load(
        std::memory_order_relaxed)));
  }
  // How many it has.
  int count() const { return alone_ ? limits::kShards : count_.load(std::memory_order_relaxed); }

  // A shard for a new job: one that this process holds, if it holds any; or any one, whoever holds
  // it. A process that is alone chooses among all, because its jobs may be moved to a store that
  // several share.
  enum class Among { kOwn, kAll };
  std::int32_t Pick(Random& random, Among among = Among::kOwn) const;

  // What is different since the last Set. One that another process had in between is among both.
  struct Moved {
    std::vector<std::int32_t> gained;
    std::vector<std::int32_t> lost;
  };
  // Takes what the store says that it holds. Not for a process that is alone.
  Moved Set(const std::vector<Lease>& leases) EXCLUDES(mutex_);

  // All that it has.
  std::vector<std::int32_t> All() const;

 private:
  static constexpr BootTime::rep kNever = BootTime::min().time_since_epoch().count();
  static constexpr BootTime::rep kAlways = BootTime::max().time_since_epoch().count();

  BootTime::rep UntilOf(std::int32_t shard) const {
    return until_[static_cast<std::uint32_t>(shard) % limits::kShards].load(
        std::memory_order_relaxed);
  }

  const bool alone_;
  const Clock& clock_;
  std::array<std::atomic<BootTime::rep>, limits::kShards> until_;
  std::array<std::atomic<MonoTime::rep>, limits::kShards> since_;
  std::atomic<int> count_{0};
  Mutex mutex_;  // of who sets
  std::array<std::int64_t, limits::kShards> epochs_ GUARDED_BY(mutex_){};
};

}  // namespace gateway::jobs
