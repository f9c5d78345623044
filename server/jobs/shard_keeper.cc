#include "jobs/shard_keeper.h"

#include <utility>

#include "base/limits.h"

namespace gateway::jobs {

ShardKeeper::ShardKeeper(Shards& shards, Leases& leases, Sharing& sharing, const Clock& clock,
                         Timers& timers, ShardEvents events)
    : shards_(shards),
      leases_(leases),
      sharing_(sharing),
      clock_(clock),
      events_(std::move(events)),
      next_(timers) {}

void ShardKeeper::Start() { Renew(); }

void ShardKeeper::Leave() {
  sharing_.Leave();
  Renew();
}

void ShardKeeper::OnSharers(int sharers) {
  if (std::exchange(sharers_, sharers) != sharers) Renew();
}

void ShardKeeper::Renew() {
  leases_.Renew([this](absl::StatusOr<Holding> holding) { OnRenewed(std::move(holding)); });
}

void ShardKeeper::OnRenewed(absl::StatusOr<Holding> holding) {
  if (holding.ok()) {
    const Shards::Moved moved = shards_.Set(holding->leases);
    {
      MutexLock lock(mutex_);
      for (const std::int32_t shard : moved.lost) unread_.erase(shard);
      unread_.insert(moved.gained.begin(), moved.gained.end());
    }
    if (!moved.lost.empty()) events_.lost();
    events_.renewed(*holding);
    Read();
  }
  next_.At(clock_.Now() + limits::kStoreLeaseRenewal, [this] { Renew(); });
}

void ShardKeeper::ReadAnew() {
  {
    MutexLock lock(mutex_);
    const std::vector<std::int32_t> all = shards_.All();
    unread_.insert(all.begin(), all.end());
  }
  Read();
}

// If this fails, the next renewal tries again.
void ShardKeeper::Read() {
  std::vector<std::int32_t> shards;
  {
    MutexLock lock(mutex_);
    if (unread_.empty() || std::exchange(reading_, true)) return;
    shards.assign(unread_.begin(), unread_.end());
    unread_.clear();
  }
  leases_.ReadShards(
      shards, [this](const JobRecord& record) { events_.found(record); },
      [this, shards](const absl::Status& read) {
        read.ok() ? ReadNames(shards) : EndRead(shards, read);
      });
}

void ShardKeeper::ReadNames(const std::vector<std::int32_t>& shards) {
  leases_.ReadNotifying(shards, events_.notifying, [this, shards](const absl::Status& read) {
    if (!read.ok()) return EndRead(shards, read);
    leases_.ReadArchiving(shards, events_.archiving,
                          [this, shards](const absl::Status& last) { EndRead(shards, last); });
  });
}

void ShardKeeper::EndRead(const std::vector<std::int32_t>& shards, const absl::Status& read) {
  {
    MutexLock lock(mutex_);
    reading_ = false;
    if (!read.ok()) unread_.insert(shards.begin(), shards.end());
    if (!read.ok() || unread_.empty()) return;
  }
  Read();
}

}  // namespace gateway::jobs
