#include "jobs/retention.h"
#include "base/limits.h"

#include <algorithm>
#include <utility>

namespace gateway::jobs {
Retention::Retention(RetentionOptions options, const Shards& shards, Ledger& ledger,
                     const Clock& clock, Timers& timers, std::function<void(std::size_t)> pruned)
    : options_(options),
      shards_(shards),
      ledger_(ledger),
      clock_(clock),
      pruned_(std::move(pruned)),
      next_(timers) {}

void Retention::Start(WallTime last_answered) {
  began_ = clock_.Now();
  began_wall_ = StartTime({.answered = last_answered, .since = {}}, clock_.WallNow());
  Schedule(limits::kPrunePause);
}

WallTime Retention::Now() const {
  const auto ran = std::chrono::duration_cast<WallTime::duration>(clock_.Now() - began_);
  return std::min(clock_.WallNow(), began_wall_ + ran + limits::kClockSlack);
}

void Retention::Schedule(Duration delay) {
  next_.At(clock_.Now() + delay, [this] { PruneOnce(); });
}

void Retention::PruneOnce() {
  if (!shards_.Holds(0)) return Schedule(limits::kPruneInterval);
  const WallTime now = Now();
  const auto before = [now](Duration kept) {
    return now - std::chrono::duration_cast<WallTime::duration>(kept);
  };
  // A finished job also remembers its request_id, so it is kept at least as long.
  const Duration finished_kept = std::max(options_.finished_kept, options_.request_ids_kept);
  const PruneQuery query{.finished_before = before(finished_kept),
                         .untouched_since = before(options_.request_ids_kept),
                         .limit = limits::kPruneBatch};
  ledger_.Prune(query, [this](const absl::StatusOr<std::size_t>& pruned) {
    const std::size_t count = pruned.value_or(0);
    if (pruned_ && count > 0) pruned_(count);
    Schedule(count > 0 ? Duration(limits::kPrunePause) : Duration(limits::kPruneInterval));
  });
}

}  // namespace gateway::jobs
