#include "jobs/foreign_changes.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/limits.h"

namespace gateway::jobs {

ForeignChanges::ForeignChanges(const Shards& shards, Feed& feed, Jobs& jobs, Ledger& ledger,
                               Hub& hub, const Clock& clock, Timers& timers, Events events)
    : shards_(shards),
      feed_(feed),
      jobs_(jobs),
      ledger_(ledger),
      hub_(hub),
      clock_(clock),
      events_(std::move(events)),
      next_(timers) {}

void ForeignChanges::Start() { FindEnd(); }

bool ForeignChanges::AwaitFirst(Duration most) {
  return first_read_.get_future().wait_for(most) == std::future_status::ready;
}

void ForeignChanges::Stop() {
  stopped_ = true;
  next_.Stop();
}

void ForeignChanges::OnOwnChange(const JobRecord& record) {
  MutexLock lock(mutex_);
  if (own_.size() >= limits::kFeedBacklogMax) own_.clear();  // they are read again, for nothing
  std::int64_t& version = own_[{record.job.tenant, record.job.job_id}];
  version = std::max(version, record.version);
}

void ForeignChanges::FindEnd() {
  feed_.FindFeedEnd([this](absl::StatusOr<std::string> end) {
    if (stopped_) return;
    if (!end.ok()) {
      return next_.At(clock_.Now() + limits::kStoreRetryAfter, [this] { FindEnd(); });
    }
    if (!std::exchange(begun_, true)) {
      position_ = *std::move(end);
      events_.begun();
      return Arm();
    }
    // What was missed is read from the jobs themselves: what the hub holds here of unfinished ones,
    // what else there is in the shards by their keeper, and finished ones when they are asked for.
    // Until that is done the position stays, so that all of it is tried again if the store goes
    // away meanwhile.
    hub_.MissedChanges();
    events_.missed();
    page_position_ = *std::move(end);
    page_full_ = false;
    looks_ = hub_.Unfinished();
    next_look_ = 0;
    Look();
  });
}

void ForeignChanges::Arm() {
  next_.At(clock_.Now() + limits::kFeedInterval, [this] { Read(); });
}

void ForeignChanges::Read() {
  feed_.ReadFeed(position_, limits::kFeedPage,
                 [this](absl::StatusOr<FeedPage> page) { OnPage(std::move(page)); });
}

void ForeignChanges::OnPage(absl::StatusOr<FeedPage> page) {
  if (stopped_) return;
  if (absl::IsOutOfRange(page.status())) return FindEnd();
  if (!page.ok()) return Arm();
  events_.stopped(page->stopped_by);
  events_.shared(page->sharers);
  if (!std::exchange(read_, true)) first_read_.set_value();
  page_position_ = std::move(page->position);
  page_full_ = page->entries.size() >= static_cast<std::size_t>(limits::kFeedPage);
  looks_.clear();
  next_look_ = 0;
  std::unordered_set<JobKey> looked;
  for (FeedEntry& entry : page->entries) {
    if (entry.hint) events_.hinted(entry.job);
    if (!IsNews(entry)) continue;
    if (entry.gone) {
      ledger_.TakeGone(entry.job);
    } else if (looked.insert(entry.job).second) {
      looks_.push_back(std::move(entry.job));
    }
  }
  Look();
}

bool ForeignChanges::IsNews(const FeedEntry& entry) {
  bool known = false;
  {
    MutexLock lock(mutex_);
    const auto own = own_.find(entry.job);
    if (own != own_.end()) {
      known = own->second >= entry.version && !entry.gone;
      if (own->second <= entry.version || entry.gone) own_.erase(own);
    }
  }
  if (known) return false;
  if (entry.gone || shards_.Has(entry.shard)) return true;
  // Somebody may be reading it from the store just now, as it was before.
  hub_.NoteChanged(entry.job.tenant, entry.job.id);
  return hub_.Find(entry.job.tenant, entry.job.id) != nullptr;
}

void ForeignChanges::Look() {
  if (stopped_) return;
  if (next_look_ == looks_.size()) {
    position_ = page_position_;
    return page_full_ ? Read() : Arm();
  }
  const std::size_t last = std::min(looks_.size(), next_look_ + limits::kFeedLooksMax);
  std::vector<JobKey> asked(looks_.begin() + static_cast<std::ptrdiff_t>(next_look_),
                            looks_.begin() + static_cast<std::ptrdiff_t>(last));
  next_look_ = last;
  // A job that comes into memory while the store is asked may be one that it did not show yet.
  std::unordered_set<JobKey> held;
  for (const JobKey& key : asked) {
    if (hub_.Find(key.tenant, key.id) != nullptr) held.insert(key);
  }
  jobs_.FindMany(
      asked, [this, asked, held = std::move(held)](absl::StatusOr<std::vector<JobRecord>> found) {
        OnFound(asked, held, std::move(found));
      });
}

void ForeignChanges::OnFound(const std::vector<JobKey>& asked,
                             const std::unordered_set<JobKey>& held,
                             absl::StatusOr<std::vector<JobRecord>> found) {
  if (stopped_) return;
  if (!found.ok()) return Arm();  // the page is read once more
  std::size_t at = 0;
  const auto miss = [&](const JobKey& key) {
    // One that was held here and that the store does not show any more has gone.
    if (held.contains(key)) ledger_.TakeGone(key);
  };
  for (const JobRecord& record : *found) {
    const JobKey key{record.job.tenant, record.job.job_id};
    for (; at < asked.size() && asked[at] != key; ++at) miss(asked[at]);
    ++at;
    ledger_.TakeIn(record);
    taken_.fetch_add(1, std::memory_order_relaxed);
  }
  if (found->empty()) {
    for (; at < asked.size(); ++at) miss(asked[at]);
  }
  next_look_ -= asked.size() - at;  // the others are asked for once more: the answer was cut
  Look();
}

}  // namespace gateway::jobs
