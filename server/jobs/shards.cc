#include "jobs/shards.h"

#include <algorithm>
#include <set>

namespace gateway::jobs {

Shards::Shards(bool alone, const Clock& clock) : alone_(alone), clock_(clock) {
  for (auto& until : until_) until = alone ? kAlways : kNever;
  for (auto& since : since_) since = kNever;
}

std::int32_t Shards::Pick(Random& random, Among among) const {
  const auto first = static_cast<std::int32_t>(random.Uniform() * limits::kShards);
  for (std::int32_t next = 0; among == Among::kOwn && next < limits::kShards; ++next) {
    const std::int32_t shard = (first + next) % limits::kShards;
    if (Holds(shard)) return shard;
  }
  return first % limits::kShards;
}

Shards::Moved Shards::Set(const std::vector<Lease>& leases) {
  Moved moved;
  std::set<std::int32_t> held;
  MutexLock lock(mutex_);
  for (const Lease& lease : leases) {
    const auto place = static_cast<std::size_t>(lease.shard);
    held.insert(lease.shard);
    const bool had = Has(lease.shard);
    if (!had || epochs_[place] != lease.epoch) {
      if (had) moved.lost.push_back(lease.shard);
      moved.gained.push_back(lease.shard);
      since_[place] = clock_.Now().time_since_epoch().count();
    }
    epochs_[place] = lease.epoch;
    until_[place] = lease.until.time_since_epoch().count();
  }
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    if (!Has(shard) || held.contains(shard)) continue;
    until_[static_cast<std::size_t>(shard)] = kNever;
    moved.lost.push_back(shard);
  }
  count_ = static_cast<int>(held.size());
  return moved;
}

std::vector<std::int32_t> Shards::All() const {
  std::vector<std::int32_t> all;
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    if (Has(shard)) all.push_back(shard);
  }
  return all;
}

}  // namespace gateway::jobs
