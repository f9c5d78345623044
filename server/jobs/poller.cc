#include "jobs/poller.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/fail_point.h"
#include "tenants/caller_key.h"

namespace gateway::jobs {

Poller::Poller(PollerOptions options, const Shards& shards, Upstreams& upstreams, Ledger& ledger,
               Jobs& jobs, const Clock& clock, Timers& timers, Random& random, PollEvents events)
    : options_(std::move(options)),
      shards_(shards),
      upstreams_(upstreams),
      ledger_(ledger),
      jobs_(jobs),
      clock_(clock),
      random_(random),
      events_(std::move(events)),
      next_pump_(timers) {}

Poller::~Poller() { Stop(); }

void Poller::Recover(const AskedOfAccounts& asked, const std::vector<Unfinished>& unfinished) {
  MutexLock lock(mutex_);
  for (const auto& [account, one] : asked) {
    Lane& lane = LaneOf(account);
    lane.asked = lane.noted = one;
  }
  for (const Unfinished& some : unfinished) {
    // Of a store that several processes share, most of them are others'.
    if (some.pollable == 0 || !shards_.alone()) continue;
    Lane& lane = LaneOf(some.account);
    lane.recovered += some.pollable;
    lane.recovered_of[some.tenant] += some.pollable;
  }
}

Poller::Lane& Poller::LaneOf(const std::string& account) {
  return lanes_.try_emplace(account, Lane{.account = account}).first->second;
}

// The poller knows of its own changes already, except that a job has ended.
void Poller::OnChange(const JobRecord& record, const SnapshotPtr& seen) {
  {
    MutexLock lock(mutex_);
    const JobKeyView key{record.job.tenant, record.job.job_id};
    const bool follows = seen != nullptr && IsPollable(record) && shards_.Has(record.job.shard);
    if (!follows) return Remove(key);
    if (FindEntry(key) != nullptr) return;
    Entry* const entry = Add(record, seen);
    FailPoint("poll-entry");
    const PollFacts facts{.record = &record};
    Place(*entry,
          clock_.Now() + NextPollDelay(options_.curve, facts, clock_.WallNow(), random_.Uniform()));
  }
  Pump();
}

void Poller::FollowRecovered(const JobRecord& record, SnapshotPtr snapshot) {
  if (!IsPollable(record)) return;
  {
    MutexLock lock(mutex_);
    if (!shards_.Has(record.job.shard)) return;
    Entry* const entry = Add(record, std::move(snapshot));
    if (entry == nullptr) return;
    Lane& lane = *entry->lane;
    const std::size_t turns =
        FairTurns(std::max(lane.recovered, lane.jobs),
                  std::max(lane.recovered_of[record.job.tenant], lane.jobs_of[record.job.tenant]),
                  std::max(lane.recovered_of.size(), lane.jobs_of.size()));
    Duration delay = FirstPollAfterRestart(options_.curve, turns,
                                           upstreams_.Of(lane.account)->requests_per_second(),
                                           random_.Uniform());
    // A poll that was planned for later stays later; a wall clock that jumped must not delay a job
    // for good. But a result that was too large may not be so any more, because settings change at
    // a restart.
    const Duration planned = record.notice == Notice::kTooLarge
                                 ? Duration::zero()
                                 : Duration(record.next_poll_at - clock_.WallNow());
    if (planned > delay && planned <= limits::kStalePollInterval * 2) delay = planned;
    if (entry->watched) delay = std::min(delay, options_.curve.first);
    Place(*entry, clock_.Now() + delay);
  }
  Pump();
}

void Poller::SetWatched(const std::string& tenant, const std::string& job_id, bool watched) {
  {
    MutexLock lock(mutex_);
    Entry* const entry = FindEntry({tenant, job_id});
    if (entry == nullptr) {
      if (watched) {
        watched_only_.insert({tenant, job_id});
      } else {
        watched_only_.erase({tenant, job_id});
      }
      return;
    }
    if (entry->watched == watched) return;
    entry->watched = watched;
    if (entry->busy) entry->watcher_waits = watched;
    if (!watched || entry->busy || Stubborn(*entry)) return;
    // The present wait may have been chosen when nobody watched: no watcher waits longer than the
    // curve's first step.
    const MonoTime soon = clock_.Now() + options_.curve.first;
    if (entry->due <= soon) return;
    Place(*entry, soon);
  }
  Pump();
}

void Poller::Hint(const std::string& tenant, const std::string& job_id) {
  {
    MutexLock lock(mutex_);
    Entry* const entry = FindEntry({tenant, job_id});
    if (entry == nullptr) return;
    if (entry->busy) {
      entry->hint_waits = true;
      return;
    }
    const MonoTime at = std::max(clock_.Now(), entry->hinted + limits::kHintInterval);
    if (entry->due <= at) return;
    entry->hinted = at;
    Place(*entry, at);
  }
  Pump();
}

void Poller::DropLost() {
  std::vector<UpstreamPtr> rests;
  {
    MutexLock lock(mutex_);
    std::vector<SnapshotPtr> lost;
    for (const auto& entry : entries_) {
      if (shards_.Has(entry->job->shard)) continue;
      lost.push_back(entry->job);
      if (entry->watched)
        watched_only_.insert({entry->job->tenant, std::string(entry->job->job_id())});
    }
    for (const SnapshotPtr& job : lost) Remove(job->key());
    for (const auto& [account, lane] : lanes_) {
      if (lane.jobs == 0 && !lost.empty()) rests.push_back(upstreams_.Of(account));
    }
  }
  for (const UpstreamPtr& upstream : rests) upstream->NoteNothingFollowed();
}

void Poller::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  next_pump_.Stop();
}

std::size_t Poller::followed() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

std::size_t Poller::followed_of(const std::string& tenant) const {
  MutexLock lock(mutex_);
  std::size_t jobs = 0;
  for (const auto& [account, lane] : lanes_) {
    const auto of = lane.jobs_of.find(tenant);
    if (of != lane.jobs_of.end()) jobs += of->second;
  }
  return jobs;
}

std::size_t Poller::followed_at(const std::string& account) const {
  MutexLock lock(mutex_);
  const auto lane = lanes_.find(account);
  return lane == lanes_.end() ? 0 : lane->second.jobs;
}

bool Poller::BudgetDecides(const std::string& account) const {
  return TimeOf(followed_at(account), account) > options_.curve.first;
}

std::size_t Poller::in_flight() const {
  MutexLock lock(mutex_);
  return in_flight_;
}

std::size_t Poller::too_large() const {
  MutexLock lock(mutex_);
  return too_large_;
}

Duration Poller::overdue() const {
  MutexLock lock(mutex_);
  const MonoTime now = clock_.Now();
  MonoTime since = now;
  if (!busy_.empty()) since = std::min(since, (*busy_.begin())->due);
  if (!waiting_.empty()) {
    const Entry& next = **waiting_.begin();
    since = std::min(since, std::max(next.due, next.lane->begun));
  }
  for (const auto& [account, lane] : lanes_) {
    const MonoTime due = std::max(ReadySince(lane, now), lane.begun);
    if (due < since && upstreams_.Has(account) && !upstreams_.Of(account)->resting()) since = due;
  }
  return now - since;
}

Poller::Unasked Poller::unasked() const {
  MutexLock lock(mutex_);
  Unasked unasked;
  for (const auto& [account, lane] : lanes_) {
    if (lane.jobs == 0 || upstreams_.Has(account)) continue;
    (tenants::IsAccountOfKey(account) ? unasked.key_not_shown : unasked.account_gone) += lane.jobs;
  }
  return unasked;
}

Poller::Entry* Poller::Add(const JobRecord& record, SnapshotPtr snapshot) {
  auto entry = std::make_unique<Entry>();
  entry->job = std::move(snapshot);
  const auto [at, added] = entries_.insert(std::move(entry));
  if (!added) return nullptr;
  Entry& added_entry = **at;
  Note(added_entry, record);
  added_entry.watched = watched_only_.erase({record.job.tenant, record.job.job_id}) > 0;
  Lane& lane = LaneOf(record.job.account);
  added_entry.lane = &lane;
  ++lane.jobs;
  ++lane.jobs_of[record.job.tenant];
  return &added_entry;
}

void Poller::Remove(const JobKeyView& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Lane& lane = *(*found)->lane;
  --lane.jobs;
  const auto of = lane.jobs_of.find((*found)->job->tenant);
  if (--of->second == 0) lane.jobs_of.erase(of);
  waiting_.erase(found->get());
  busy_.erase(found->get());
  if ((*found)->too_large) --too_large_;
  entries_.erase(found);
}

Poller::Entry* Poller::FindEntry(const JobKeyView& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->get();
}

// Notes what of the record is needed before the next reply that brings news.
void Poller::Note(Entry& entry, const JobRecord& record) {
  entry.accepted_at = record.accepted_at;
  entry.unsure = record.failure_seen || record.incomplete_since.has_value();
  if (entry.too_large) --too_large_;
  entry.too_large = record.notice == Notice::kTooLarge;
  if (entry.too_large) ++too_large_;
}

void Poller::Place(Entry& entry, MonoTime due) {
  waiting_.erase(&entry);
  entry.due = due;
  entry.turn = ++turns_;
  waiting_.insert(&entry);
}

// Moves the jobs that are due to the queues of their tenants.
void Poller::CollectDue(MonoTime now) {
  while (!waiting_.empty() && (*waiting_.begin())->due <= now) {
    const Entry& due = **waiting_.begin();
    due.lane->ready[due.job->tenant].push_back(due.job);
    waiting_.erase(waiting_.begin());
  }
}

// Takes the next job to poll: tenants take turns, and the jobs of each come in the order in which
// they fell due. At least one job must be ready.
SnapshotPtr Poller::NextReady(Lane& lane) {
  auto it = lane.ready.upper_bound(lane.last_tenant);
  if (it == lane.ready.end()) it = lane.ready.begin();
  lane.last_tenant = it->first;
  SnapshotPtr job = std::move(it->second.front());
  it->second.pop_front();
  if (it->second.empty()) lane.ready.erase(it);
  return job;
}

MonoTime Poller::ReadySince(const Lane& lane, MonoTime none) const {
  MonoTime since = none;
  const auto look = [&](const std::deque<SnapshotPtr>& queue) REQUIRES(mutex_) {
    for (const SnapshotPtr& job : queue) {
      const Entry* const entry = FindEntry(job->key());
      if (entry == nullptr || entry->busy) continue;  // it stands there for nothing
      since = std::min(since, entry->due);
      return;
    }
  };
  for (const auto& [tenant, queue] : lane.ready) look(queue);
  look(lane.large_waiting);
  return since;
}

void Poller::Arm(MonoTime when) {
  if (next_pump_at_ <= when) return;
  next_pump_at_ = when;
  next_pump_.At(when, [this] {
    {
      MutexLock lock(mutex_);
      next_pump_at_ = MonoTime::max();
    }
    Pump();
  });
}

void Poller::Pump() {
  std::vector<Started> started;
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    const MonoTime now = clock_.Now();
    CollectDue(now);
    while (std::optional<Started> next = StartNext(now)) started.push_back(*std::move(next));
    // If no place is free, the end of a poll calls this again anyway.
    if (!waiting_.empty() && Places() > 0) Arm((*waiting_.begin())->due);
  }
  for (Started& poll : started) {
    upstreams_.Of(poll.job->account)
        ->GetJob(std::move(poll.turn),
                 {.pictory_job_id = std::string(poll.job->pictory_job_id()),
                  .kind = poll.job->kind,
                  .last_digest = poll.digest,
                  .size = poll.ask.size,
                  .timeout = poll.ask.timeout},
                 [this, job = poll.job, ask = poll.ask](pictory::JobReply reply) {
                   OnReply(job, ask, std::move(reply));
                 });
  }
}

std::optional<Poller::Started> Poller::StartNext(MonoTime now) {
  auto lane = lanes_.upper_bound(last_lane_);
  for (std::size_t i = 0; i < lanes_.size(); ++i, ++lane) {
    if (lane == lanes_.end()) lane = lanes_.begin();
    if (std::optional<Started> next = StartNextOf(lane->second, now)) {
      last_lane_ = lane->first;
      return next;
    }
  }
  return std::nullopt;
}

bool Poller::PutOff(Entry& entry, MonoTime now) {
  if (!shards_.Holds(entry.job->shard)) {
    Place(entry, now + limits::kStoreLeaseRenewal);
    return true;
  }
  Shedding* const shedding = options_.shedding;
  const bool hinted = entry.hinted == entry.due;
  if (shedding == nullptr || entry.watched || hinted || in_flight_ == 0) return false;
  if (!shedding->Refuses(Shed::kPolls)) return false;
  const double spread = 1 + options_.curve.jitter * (2 * random_.Uniform() - 1);
  Place(entry, now + std::chrono::duration_cast<Duration>(options_.curve.max_unwatched * spread));
  return true;
}

std::optional<Poller::Started> Poller::StartNextOf(Lane& lane, MonoTime now) {
  int put_off = 0;
  while (true) {
    NextLarge(lane);
    if (lane.ready.empty() || !HasPlace(lane)) break;
    const UpstreamPtr upstream = upstreams_.Of(lane.account);
    std::optional<Upstream::Turn> turn = upstream->TryTake(Purpose::kPoll);
    if (!turn.has_value()) {
      Arm(std::max(upstream->NextAt(Purpose::kPoll), now + std::chrono::milliseconds(1)));
      break;
    }
    SnapshotPtr job = NextReady(lane);
    Entry* const entry = FindEntry(job->key());
    const bool free = entry != nullptr && !entry->busy;
    if (!free || (entry->large && large_in_flight_ >= options_.large_in_flight_max)) {
      if (free) lane.large_waiting.push_back(std::move(job));
      continue;
    }
    if (PutOff(*entry, now)) {
      if (++put_off < limits::kPollsPutOffMax) continue;
      Arm(now + std::chrono::milliseconds(1));
      break;
    }
    // One that was dropped and is followed anew stands in both, once as the job of before.
    waiting_.erase(entry);
    entry->busy = true;
    entry->due = lane.begun = now;
    busy_.insert(entry);
    ++in_flight_;
    ++lane.in_flight;
    Ask ask{.lane = &lane,
            .size = entry->large ? pictory::ReplySize::kAny : pictory::ReplySize::kSmall,
            .timeout = HasSlowPlace() ? TimeoutOf(*entry) : options_.timeout};
    if (entry->large) ++large_in_flight_;
    if (IsSlow(ask)) ++slow_in_flight_;
    // While an answer has to be confirmed by another, the same bytes again are news.
    return Started{entry->job, entry->unsure ? 0 : entry->digest, ask, *std::move(turn)};
  }
  return std::nullopt;
}

Duration Poller::TimeoutOf(const Entry& entry) const {
  return Doubled(options_.timeout, entry.patience, options_.timeout_max);
}

void Poller::Leave(const Ask& ask) {
  --in_flight_;
  --ask.lane->in_flight;
  if (IsSlow(ask)) --slow_in_flight_;
  if (ask.size == pictory::ReplySize::kSmall) return;
  --large_in_flight_;
}

void Poller::NextLarge(Lane& lane) {
  if (lane.large_waiting.empty() || large_in_flight_ >= options_.large_in_flight_max) return;
  SnapshotPtr next = std::move(lane.large_waiting.front());
  lane.large_waiting.pop_front();
  std::deque<SnapshotPtr>& queue = lane.ready[next->tenant];
  queue.push_front(std::move(next));
}

}  // namespace gateway::jobs
