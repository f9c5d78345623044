#include "jobs/hub_audience.h"
#include "base/limits.h"

#include <array>
#include <utility>

namespace gateway::jobs {
WatcherPlace Hub::Audience::Join(std::weak_ptr<Watcher> watcher, std::uint64_t connection) {
  MutexLock lock(mutex_);
  const WatcherPlace place{connection, ++last_id_};
  watchers_.emplace(place, std::move(watcher));
  shared_->watchers.fetch_add(1, std::memory_order_relaxed);
  NoteCount();
  return place;
}

void Hub::Audience::Leave(const WatcherPlace& place) {
  MutexLock lock(mutex_);
  if (watchers_.erase(place) == 0) return;
  shared_->watchers.fetch_sub(1, std::memory_order_relaxed);
  NoteCount();
}

void Hub::Audience::Tell(SnapshotPtr snapshot) {
  MutexLock lock(mutex_);
  if (gone_ || snapshot->revision <= latest_->revision) return;
  latest_ = std::move(snapshot);
  TellAll();
}

void Hub::Audience::Dismiss() {
  MutexLock lock(mutex_);
  gone_ = true;
  TellAll();
}

void Hub::Audience::TellAll() {
  if (watchers_.empty()) return;
  if (telling_) {
    again_ = true;
    return;
  }
  telling_ = true;
  told_ = {};
  shared_->broadcaster.Post([self = shared_from_this()] { return self->TellSome(); });
}

bool Hub::Audience::TellSome() {
  std::array<std::shared_ptr<Watcher>, limits::kWatchersSliceMax> slice;
  std::size_t count = 0;
  SnapshotPtr latest;
  bool more = true;
  bool gone = false;
  {
    MutexLock lock(mutex_);
    latest = latest_;
    gone = gone_;
    auto it = watchers_.upper_bound(told_);
    for (; it != watchers_.end() && count < limits::kWatchersSliceMax; ++it) {
      told_ = it->first;
      if (auto watcher = it->second.lock()) slice[count++] = std::move(watcher);
    }
    if (it == watchers_.end()) {
      // The watchers told early in the round have not heard of what came during it.
      more = std::exchange(again_, false);
      telling_ = more;
      told_ = {};
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    slice[i]->OnSnapshot(latest);
    if (gone) slice[i]->OnGone();
  }
  return more;
}

// Tells the listener how many watch. The count is read when the listener is called, and calls are
// made one after the other: however joins and leaves interleave, the last count that it hears is
// right.
void Hub::Audience::NoteCount() {
  if (noting_ || !shared_->changed) return;
  noting_ = true;
  shared_->broadcaster.Post([self = shared_from_this()] {
    std::size_t count = 0;
    {
      MutexLock lock(self->mutex_);
      self->noting_ = false;
      count = self->watchers_.size();
    }
    self->shared_->changed(self->key_.tenant, self->key_.id, count);
    return false;
  });
}

}  // namespace gateway::jobs
