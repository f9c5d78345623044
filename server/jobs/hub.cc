#include "jobs/hub.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/errors.h"
#include "jobs/hub_audience.h"

namespace gateway::jobs {
namespace {

std::size_t BytesOf(const Snapshot& snapshot) { return sizeof(Snapshot) + snapshot.frame.size(); }

}  // namespace

// A Shard is a slice of the jobs, and of the index by Pictory's id. While locked it calls nothing
// outside except the audience of a job, whose lock comes after this one.
class Hub::Shard {
 public:
  Shard(std::size_t finished_max, std::size_t finished_max_bytes)
      : finished_max_(finished_max), finished_max_bytes_(finished_max_bytes) {}

  struct Kept {
    SnapshotPtr newest;
    std::shared_ptr<Audience> audience;  // to be told of `newest`; null if nobody is
    bool ended = false;                  // it was unfinished until now
    std::vector<SnapshotPtr> evicted;
  };

  Kept Keep(const SnapshotPtr& snapshot) {
    Kept kept;
    MutexLock lock(mutex_);
    const auto found = jobs_.find(snapshot->key());
    if (found != jobs_.end()) {
      if ((*found)->revision >= snapshot->revision) {
        kept.newest = *found;
        return kept;
      }
      kept.ended = snapshot->final() && !(*found)->final();
      Drop(found);
    }
    jobs_.insert(snapshot);
    kept.newest = snapshot;
    const auto audience = audiences_.find(snapshot->key());
    if (audience != audiences_.end()) kept.audience = *audience;
    if (snapshot->final()) {
      used_.push_front(snapshot);
      used_at_[snapshot.get()] = used_.begin();
      bytes_ += BytesOf(*snapshot);
      Evict(kept.evicted);
    }
    return kept;
  }

  SnapshotPtr Find(const JobKeyView& key) {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(key);
    if (found == jobs_.end()) return nullptr;
    Touch(**found);
    return *found;
  }

  std::shared_ptr<Audience> AudienceOf(const JobKey& key, const std::shared_ptr<Shared>& shared,
                                       const std::weak_ptr<Watcher>& watcher,
                                       std::uint64_t connection, WatcherPlace& place,
                                       SnapshotPtr& present) {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(ViewOf(key));
    if (found == jobs_.end()) return nullptr;
    Touch(**found);
    present = *found;
    auto audience = audiences_.find(ViewOf(key));
    if (audience == audiences_.end()) {
      audience = audiences_.insert(std::make_shared<Audience>(shared, key, present)).first;
    }
    // This is inside the lock, so a state published from now on reaches the watcher, and one
    // published before is `present`.
    place = (*audience)->Join(watcher, connection);
    return *audience;
  }

  // Removes a job and returns it; sets `audience` if anybody watches it.
  SnapshotPtr Erase(const JobKeyView& key, std::shared_ptr<Audience>& audience) {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(key);
    if (found == jobs_.end()) return nullptr;
    SnapshotPtr gone = *found;
    const auto watched = audiences_.find(key);
    if (watched != audiences_.end()) audience = *watched;
    Forget(gone);
    return gone;
  }

  // Adds the job to the index by Pictory's id, which the snapshot holds. If two accounts of the
  // tenant have given that id, the newer job has it, as in the store (Jobs::Find).
  void Index(const SnapshotPtr& snapshot) {
    MutexLock lock(mutex_);
    const auto found = by_pictory_id_.find(snapshot->pictory_key());
    if (found != by_pictory_id_.end()) {
      const Snapshot& other = **found;
      if (other.account != snapshot->account && other.job_id() > snapshot->job_id()) return;
      by_pictory_id_.erase(found);
    }
    by_pictory_id_.insert(snapshot);
  }
  void Unindex(const Snapshot& gone) {
    MutexLock lock(mutex_);
    const auto found = by_pictory_id_.find(gone.pictory_key());
    if (found == by_pictory_id_.end() || (*found)->job_id() != gone.job_id()) return;
    by_pictory_id_.erase(found);
  }
  std::string JobIdOf(const JobKeyView& pictory) {
    MutexLock lock(mutex_);
    const auto found = by_pictory_id_.find(pictory);
    return found == by_pictory_id_.end() ? std::string() : std::string((*found)->job_id());
  }

  void AddUnfinished(std::vector<JobKey>& keys) {
    MutexLock lock(mutex_);
    for (const SnapshotPtr& job : jobs_) {
      if (!job->final()) keys.push_back({job->tenant, std::string(job->job_id())});
    }
  }

  // Returns what it has dropped.
  std::vector<SnapshotPtr> DropUnwatched(const std::function<bool(const Snapshot&)>& drops) {
    std::vector<SnapshotPtr> dropped;
    MutexLock lock(mutex_);
    for (const SnapshotPtr& job : jobs_) {
      if (job->final() || !drops(*job)) continue;
      const auto audience = audiences_.find(job->key());
      if (audience == audiences_.end() || (*audience)->empty()) dropped.push_back(job);
    }
    for (const SnapshotPtr& job : dropped) Forget(job);
    return dropped;
  }

  // Returns what it has dropped.
  std::vector<SnapshotPtr> DropFinished() {
    MutexLock lock(mutex_);
    std::vector<SnapshotPtr> dropped(used_.begin(), used_.end());
    for (const SnapshotPtr& job : dropped) Forget(job);
    return dropped;
  }

  void Count(std::size_t& unfinished, std::size_t& finished) {
    MutexLock lock(mutex_);
    finished += used_.size();
    unfinished += jobs_.size() - used_.size();
  }

 private:
  struct OwnName {
    JobKeyView operator()(const auto& any) const { return any.key(); }
  };
  struct PictoryName {
    JobKeyView operator()(const Snapshot& job) const { return job.pictory_key(); }
  };
  template <class Pointer, class NameOf = OwnName>
  using SetOf = absl::flat_hash_set<Pointer, ByName<NameOf>, ByName<NameOf>>;

  void Touch(const Snapshot& job) REQUIRES(mutex_) {
    if (job.final()) used_.splice(used_.begin(), used_, used_at_.at(&job));
  }

  // Drops this state of a job; another one may follow.
  void Drop(SetOf<SnapshotPtr>::iterator job) REQUIRES(mutex_) {
    if ((*job)->final()) {
      bytes_ -= BytesOf(**job);
      const auto at = used_at_.find(job->get());
      used_.erase(at->second);
      used_at_.erase(at);
    }
    jobs_.erase(job);
  }

  // Drops the job and its audience.
  void Forget(const SnapshotPtr& job) REQUIRES(mutex_) {
    const auto audience = audiences_.find(job->key());
    if (audience != audiences_.end()) audiences_.erase(audience);
    Drop(jobs_.find(job->key()));
  }

  void Evict(std::vector<SnapshotPtr>& evicted) REQUIRES(mutex_) {
    while (used_.size() > finished_max_ || (bytes_ > finished_max_bytes_ && used_.size() > 1)) {
      evicted.push_back(used_.back());
      Forget(evicted.back());
    }
  }

  const std::size_t finished_max_;
  const std::size_t finished_max_bytes_;
  Mutex mutex_;
  SetOf<SnapshotPtr> jobs_ GUARDED_BY(mutex_);  // their newest states
  // The audiences of the few jobs that have been watched.
  SetOf<std::shared_ptr<Audience>> audiences_ GUARDED_BY(mutex_);
  SetOf<SnapshotPtr, PictoryName> by_pictory_id_ GUARDED_BY(mutex_);
  std::list<SnapshotPtr> used_ GUARDED_BY(mutex_);  // finished ones, the last used first
  absl::flat_hash_map<const Snapshot*, std::list<SnapshotPtr>::iterator> used_at_
      GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;  // of the finished ones
};

Hub::Subscription& Hub::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    Reset();
    audience_ = std::move(other.audience_);
    place_ = other.place_;
  }
  return *this;
}

void Hub::Subscription::Reset() {
  if (auto audience = std::move(audience_)) audience->Leave(place_);
}

Hub::Hub(HubOptions options, Jobs& jobs, WorkThread& broadcaster)
    : jobs_(jobs), shared_(std::make_shared<Shared>(broadcaster)) {
  for (auto& shard : shards_) {
    shard = std::make_unique<Shard>(std::max<std::size_t>(1, options.finished_max / kShards),
                                    std::max<std::size_t>(1, options.finished_max_bytes / kShards));
  }
}

Hub::~Hub() = default;

void Hub::SetWatchersChanged(WatchersChanged listener) { shared_->changed = std::move(listener); }

Hub::Shard& Hub::ShardOf(const JobKeyView& key) const {
  // The shard is chosen by other bits of the hash than those by which the sets in a shard tell
  // their jobs apart.
  return *shards_[(std::hash<JobKeyView>()(key) >> 32) % kShards];
}

SnapshotPtr Hub::Publish(const JobRecord& record) {
  const SnapshotPtr snapshot = MakeSnapshot(record);
  // The index is filled first: whoever finds the job must not miss it under its other name.
  const auto index = [this](const SnapshotPtr& known) {
    if (!known->pictory_job_id().empty()) ShardOf(known->pictory_key()).Index(known);
  };
  index(snapshot);
  Shard::Kept kept = ShardOf(snapshot->key()).Keep(snapshot);
  if (kept.newest != snapshot)
    index(kept.newest);  // so that an old snapshot is not kept for its name
  Unindex(kept.evicted);
  if (kept.audience != nullptr) kept.audience->Tell(kept.newest);
  if (kept.ended && ended_) ended_(record);
  return kept.newest;
}

SnapshotPtr Hub::Find(const std::string& tenant, const std::string& name) {
  const JobKeyView key{tenant, name};
  if (SnapshotPtr found = ShardOf(key).Find(key)) return found;
  const std::string job_id = ShardOf(key).JobIdOf(key);
  if (job_id.empty()) return nullptr;
  return ShardOf({tenant, job_id}).Find({tenant, job_id});
}

void Hub::Load(const std::string& tenant, const std::string& name, LoadDone done,
               std::int32_t revision) {
  SnapshotPtr found = Find(tenant, name);
  if (found != nullptr && found->revision >= revision && IsCurrent(*found)) {
    return done(std::move(found));
  }
  const JobKey key{tenant, name};
  {
    MutexLock lock(mutex_);
    Loading& loading = loading_[key];
    loading.waiting.push_back({revision, std::move(done)});
    if (loading.waiting.size() > 1) return;
  }
  Ask(key);
}

void Hub::Ask(const JobKey& key) {
  jobs_.Find(key.tenant, key.id, [this, key](absl::StatusOr<std::optional<JobRecord>> found) {
    OnLoaded(key, std::move(found));
  });
}

void Hub::OnLoaded(const JobKey& key, absl::StatusOr<std::optional<JobRecord>> found) {
  SnapshotPtr shown;
  {
    MutexLock lock(mutex_);
    shown = loading_.at(key).shown;
  }
  if (found.ok() && !found->has_value() && shown != nullptr) DropShown(shown);
  // The job is kept before the waiting callers are taken out: who comes in between finds it in
  // memory or still waits.
  absl::StatusOr<SnapshotPtr> answer = errors::JobNotFound(key.id);
  if (!found.ok()) {
    answer = found.status();
    // What is known of it is better than nothing.
    if (SnapshotPtr known = Find(key.tenant, key.id)) answer = std::move(known);
  } else if (found->has_value()) {
    answer = Publish(**found);
  } else if (SnapshotPtr published = Find(key.tenant, key.id)) {
    answer = std::move(published);  // submitted while the store looked
  }
  const std::string job_id(answer.ok() ? (*answer)->job_id() : "");
  bool forgotten = false, again = false;
  Loading loading;
  {
    MutexLock lock(mutex_);
    const auto at = loading_.find(key);
    std::vector<std::string>& gone = at->second.forgotten;
    std::vector<std::string>& changed = at->second.changed;
    forgotten = std::find(gone.begin(), gone.end(), job_id) != gone.end();
    const bool missed = std::exchange(at->second.missed, false);
    if (missed && answer.ok()) at->second.shown = *answer;
    const bool older = missed || std::find(changed.begin(), changed.end(), job_id) != changed.end();
    again = older || (forgotten && !at->second.again);
    if (again) {
      at->second.again |= forgotten;
      gone.clear();
      changed.clear();
    } else {
      loading = std::move(at->second);
      loading_.erase(at);
    }
  }
  if (forgotten) {
    Forget(key.tenant, job_id);
    answer = errors::JobNotFound(key.id);
  }
  if (again) return Ask(key);  // another job may have taken that one over
  for (Loading::Waiting& waiting : loading.waiting) {
    const bool older = !found.ok() && answer.ok() && (*answer)->revision < waiting.revision;
    waiting.done(older ? found.status() : answer);
  }
}

void Hub::Refresh(const JobKey& key, const SnapshotPtr& shown, ReadDone done) {
  std::list<Refreshing>::iterator at;
  {
    MutexLock lock(mutex_);
    at = refreshing_.insert(refreshing_.end(), {key});
  }
  jobs_.Find(key.tenant, key.id,
             [this, key, at, shown,
              done = std::move(done)](absl::StatusOr<std::optional<JobRecord>> found) {
               const bool other =
                   found.ok() && found->has_value() && (*found)->job.job_id != key.id;
               if (other) found->reset();
               if (found.ok() && !found->has_value() && shown != nullptr) DropShown(shown);
               // As in OnLoaded: published first, so that who forgets it after the look finds it.
               SnapshotPtr now;
               if (found.ok() && found->has_value()) now = Publish(**found);
               bool forgotten = false, missed = false;
               {
                 MutexLock lock(mutex_);
                 forgotten = at->forgotten;
                 missed = at->missed;
                 refreshing_.erase(at);
               }
               if (missed && !forgotten) return Refresh(key, now, done);
               if (forgotten) {
                 Forget(key.tenant, key.id);
                 if (found.ok()) found->reset();
               }
               done(std::move(found));
             });
}

Hub::Subscribed Hub::Subscribe(const std::string& tenant, const std::string& job_id,
                               std::weak_ptr<Watcher> watcher, std::uint64_t connection) {
  Subscribed subscribed;
  Subscription& subscription = subscribed.subscription;
  subscription.audience_ = ShardOf({tenant, job_id})
                               .AudienceOf({tenant, job_id}, shared_, watcher, connection,
                                           subscription.place_, subscribed.present);
  return subscribed;
}

void Hub::NoteChanged(const std::string& tenant, const std::string& job_id) {
  MutexLock lock(mutex_);
  for (auto& [key, loading] : loading_) {
    if (key.tenant == tenant) loading.changed.push_back(job_id);
  }
}

void Hub::Forget(const std::string& tenant, const std::string& job_id) {
  {
    // A load under way may have read the job before it was deleted, under either of its names.
    MutexLock lock(mutex_);
    for (Refreshing& one : refreshing_) {
      one.forgotten = one.forgotten || (one.key.tenant == tenant && one.key.id == job_id);
    }
    for (auto& [key, loading] : loading_) {
      if (key.tenant == tenant) loading.forgotten.push_back(job_id);
    }
  }
  Erase(tenant, job_id);
}

void Hub::DropShown(const SnapshotPtr& shown) {
  const std::string job_id(shown->job_id());
  if (Find(shown->tenant, job_id) == shown) Erase(shown->tenant, job_id);
}

void Hub::Erase(const std::string& tenant, const std::string& job_id) {
  std::shared_ptr<Audience> audience;
  const SnapshotPtr gone = ShardOf({tenant, job_id}).Erase({tenant, job_id}, audience);
  if (audience != nullptr) audience->Dismiss();
  if (gone == nullptr || gone->pictory_job_id().empty()) return;
  ShardOf(gone->pictory_key()).Unindex(*gone);
}

std::vector<JobKey> Hub::Unfinished() const {
  std::vector<JobKey> keys;
  for (const auto& shard : shards_) shard->AddUnfinished(keys);
  return keys;
}

void Hub::Unindex(const std::vector<SnapshotPtr>& gone) {
  for (const SnapshotPtr& one : gone) {
    if (!one->pictory_job_id().empty()) ShardOf(one->pictory_key()).Unindex(*one);
  }
}

void Hub::DropUnwatched(const std::function<bool(const Snapshot&)>& drops) {
  for (const auto& shard : shards_) Unindex(shard->DropUnwatched(drops));
}

void Hub::MissedChanges() {
  {
    MutexLock lock(mutex_);
    for (auto& [key, loading] : loading_) loading.missed = true;
    for (Refreshing& one : refreshing_) one.missed = true;
  }
  for (const auto& shard : shards_) Unindex(shard->DropFinished());
}

std::size_t Hub::unfinished() const {
  std::size_t unfinished = 0;
  std::size_t finished = 0;
  for (const auto& shard : shards_) shard->Count(unfinished, finished);
  return unfinished;
}

std::size_t Hub::finished_cached() const {
  std::size_t unfinished = 0;
  std::size_t finished = 0;
  for (const auto& shard : shards_) shard->Count(unfinished, finished);
  return finished;
}

std::size_t Hub::watchers() const { return shared_->watchers.load(std::memory_order_relaxed); }

}  // namespace gateway::jobs
