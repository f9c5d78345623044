#include "jobs/poller.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/fail_point.h"
#include "jobs/guards.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

// So many replies in a row that said nothing, and watchers are told that what they see may lag.
constexpr int kDegradedAfter = 3;

template <class Count>
void CountOne(Count& count) {
  if (count < std::numeric_limits<Count>::max()) ++count;
}

}  // namespace

Poller::Poller(PollerOptions options, Account& account, JobStore& store,
               pictory::PictoryClient& client, const Clock& clock, Timers& timers, Random& random,
               Publish publish, PollEvents events)
    : options_(std::move(options)),
      account_(account),
      store_(store),
      client_(client),
      clock_(clock),
      random_(random),
      publish_(std::move(publish)),
      events_(std::move(events)),
      next_pump_(timers) {}

Poller::~Poller() { Stop(); }

void Poller::Follow(const JobRecord& record, SnapshotPtr snapshot) {
  if (!IsPollable(record)) return;
  {
    MutexLock lock(mutex_);
    Entry* const entry = Add(record, std::move(snapshot));
    if (entry == nullptr) return;
    FailPoint("poll-entry");
    const PollFacts facts{.record = &record};
    Place(*entry, clock_.Now() + NextPollDelay(options_.curve, facts, clock_.WallNow(), random_.Uniform()));
  }
  Pump();
}

void Poller::FollowRecovered(const JobRecord& record, SnapshotPtr snapshot, std::size_t jobs) {
  if (!IsPollable(record)) return;
  {
    MutexLock lock(mutex_);
    Entry* const entry = Add(record, std::move(snapshot));
    if (entry == nullptr) return;
    Duration delay = FirstPollAfterRestart(options_.curve, jobs, account_.requests_per_second(),
                                           random_.Uniform());
    // What was planned for later stays later; a wall clock that jumped must not park a job for good.
    // But a result that was too large may not be any more: settings change at a restart.
    const Duration planned = record.result_too_large
                                 ? Duration::zero()
                                 : Duration(record.next_poll_at - clock_.WallNow());
    if (planned > delay && planned <= limits::kStalePollInterval * 2) delay = planned;
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
    // The wait so far may have been for nobody: no watcher waits longer than the curve's first step.
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
    if (entry->errors > 0) return;  // Pictory does not answer; a hint changes nothing about that
    const MonoTime at = std::max(clock_.Now(), entry->hinted + limits::kHintInterval);
    if (entry->due <= at) return;
    entry->hinted = at;
    Place(*entry, at);
  }
  Pump();
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

std::size_t Poller::in_flight() const {
  MutexLock lock(mutex_);
  return in_flight_;
}

Poller::Entry* Poller::Add(const JobRecord& record, SnapshotPtr snapshot) {
  auto entry = std::make_unique<Entry>();
  entry->job = std::move(snapshot);
  Note(*entry, record);
  const auto [at, added] = entries_.insert(std::move(entry));
  if (!added) return nullptr;
  (*at)->watched = watched_only_.erase({record.job.tenant, record.job.job_id}) > 0;
  ++jobs_of_[record.job.tenant];
  return at->get();
}

void Poller::Remove(const JobKeyView& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const auto of = jobs_of_.find((*found)->job->tenant);
  if (--of->second == 0) jobs_of_.erase(of);
  waiting_.erase(found->get());
  entries_.erase(found);
}

Poller::Entry* Poller::FindEntry(const JobKeyView& key) {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->get();
}

// Of the record, what is needed before the next reply that brings news.
void Poller::Note(Entry& entry, const JobRecord& record) {
  entry.accepted_at = record.accepted_at;
  entry.doubtful = record.failure_seen || record.incomplete_since.has_value();
  entry.too_large = record.result_too_large;
}

void Poller::Place(Entry& entry, MonoTime due) {
  waiting_.erase(&entry);
  entry.due = due;
  entry.turn = ++turns_;
  waiting_.insert(&entry);
}

// Moves what is due to its tenant's queue.
void Poller::CollectDue(MonoTime now) {
  while (!waiting_.empty() && (*waiting_.begin())->due <= now) {
    const SnapshotPtr& job = (*waiting_.begin())->job;
    ready_[job->tenant].push_back(job);
    waiting_.erase(waiting_.begin());
  }
}

// The next job to poll: tenants take turns, each in the order its jobs fell due. Not for an empty queue.
SnapshotPtr Poller::NextReady() {
  auto it = ready_.upper_bound(last_tenant_);
  if (it == ready_.end()) it = ready_.begin();
  last_tenant_ = it->first;
  SnapshotPtr job = std::move(it->second.front());
  it->second.pop_front();
  if (it->second.empty()) ready_.erase(it);
  return job;
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
    // With no place free, the end of a poll comes here anyway.
    if (!waiting_.empty() && HasPlace()) Arm((*waiting_.begin())->due);
  }
  for (const Started& poll : started) {
    client_.GetJob(
        std::string(poll.job->pictory_job_id()), poll.job->kind, poll.digest,
        [this, job = poll.job, size = poll.size](pictory::JobReply reply) {
          OnReply(job, size, std::move(reply));
        },
        poll.size);
  }
}

std::optional<Poller::Started> Poller::StartNext(MonoTime now) {
  while (!ready_.empty() && HasPlace()) {
    if (!account_.TryTake(Budget::Share::kPoll)) {
      Arm(std::max(account_.NextAt(Budget::Share::kPoll), now + std::chrono::milliseconds(1)));
      break;
    }
    SnapshotPtr job = NextReady();
    Entry* const entry = FindEntry(job->key());
    const bool free = entry != nullptr && !entry->busy;
    if (!free || (entry->large && large_in_flight_ >= options_.large_in_flight_max)) {
      account_.Refund(Budget::Share::kPoll);
      if (free) large_waiting_.push_back(std::move(job));
      continue;
    }
    entry->busy = true;
    ++in_flight_;
    if (entry->large) ++large_in_flight_;
    // While an answer awaits a second look, the same bytes again are news.
    return Started{entry->job, entry->doubtful ? 0 : entry->digest,
                   entry->large ? pictory::ReplySize::kAny : pictory::ReplySize::kSmall};
  }
  return std::nullopt;
}

void Poller::Leave(pictory::ReplySize size) {
  --in_flight_;
  if (size == pictory::ReplySize::kSmall) return;
  --large_in_flight_;
  if (large_waiting_.empty()) return;
  SnapshotPtr next = std::move(large_waiting_.front());
  large_waiting_.pop_front();
  std::deque<SnapshotPtr>& queue = ready_[next->tenant];
  queue.push_front(std::move(next));
}

void Poller::NoteAccount(const pictory::JobReply& reply) {
  bool degraded, changed;
  {
    MutexLock lock(mutex_);
    silent_replies_ = SaidNothing(reply.kind) ? silent_replies_ + 1 : 0;
    degraded = silent_replies_ >= kDegradedAfter;
    changed = account_.SetDegraded(degraded);
  }
  account_.NoteAnswer(reply.kind != Kind::kUnavailable);
  if (reply.kind == Kind::kRateLimited) account_.OnRateLimited(reply.retry_after);
  if (reply.kind == Kind::kCredentials) {
    account_.Pause(options_.credentials_pause);
    if (events_.credentials_refused) events_.credentials_refused(reply);
  }
  if (changed && events_.degraded_changed) events_.degraded_changed(degraded);
}

void Poller::OnReply(const SnapshotPtr& job, pictory::ReplySize size, pictory::JobReply reply) {
  NoteAccount(reply);
  if (events_.replied) events_.replied(*job, reply);
  if (!TakeReply(job, size, reply)) return Pump();
  auto news = std::make_shared<News>();
  news->job = job;
  news->size = size;
  news->reply = std::move(reply);
  store_.Find(job->tenant, std::string(job->job_id()),
              [this, news](absl::StatusOr<std::optional<JobRecord>> found) {
                if (!found.ok() || !found->has_value()) return Abandon(news, found.ok());
                OnRecord(news, **std::move(found));
              });
}

bool Poller::TakeReply(const SnapshotPtr& job, pictory::ReplySize size,
                       const pictory::JobReply& reply) {
  MutexLock lock(mutex_);
  Entry* const entry = FindEntry(job->key());
  if (stopped_ || entry == nullptr) {
    Leave(size);
    return false;
  }
  if (SaidNothing(reply.kind)) {
    CountOne(entry->errors);
  } else {
    entry->errors = 0;
    entry->digest = reply.digest;
  }
  if (reply.kind == Kind::kLarge) {  // at once again, for all of it
    entry->large = true;
    Leave(size);
    Settle(*entry, Duration::zero());
    return false;
  }
  CountOne(entry->polls);
  // Time alone changes a job too, but not a young one.
  const WallTime wall = clock_.WallNow();
  const bool old = wall - entry->accepted_at >= limits::kStaleAfter;
  if (old || !(SaidNothing(reply.kind) || reply.kind == Kind::kUnchanged)) return true;
  JobRecord known;  // as far as the schedule cares
  known.accepted_at = entry->accepted_at;
  known.result_too_large = entry->too_large;
  Leave(size);
  Settle(*entry, DelayAfter(*entry, known, reply, wall));
  return false;
}

void Poller::OnRecord(const NewsPtr& news, JobRecord record) {
  const WallTime wall = clock_.WallNow();
  news->advanced = Advance(record, news->reply, wall);
  Advanced& advanced = news->advanced;
  if (advanced.contradiction && events_.contradicted) events_.contradicted(record, news->reply);
  {
    MutexLock lock(mutex_);
    if (const Entry* const entry = FindEntry(news->job->key())) {
      news->delay = DelayAfter(*entry, advanced.record, news->reply, wall);
    }
    if (!advanced.store) {
      Leave(news->size);
      SettleAs(news, nullptr);
    }
  }
  if (!advanced.store) return Pump();

  if (advanced.visible && IsOff(Guard::kStoredBeforePublish)) publish_(advanced.record);
  if (events_.storing) events_.storing(advanced.record);
  advanced.record.next_poll_at = wall + std::chrono::duration_cast<WallTime::duration>(news->delay);
  std::vector<pictory::JobResult::Part> parts;
  if (IsFinal(advanced.record.job.state) && news->reply.result != nullptr) {
    parts = news->reply.result->parts;
  }
  store_.Update(advanced.record, std::move(parts),
                [this, news](const absl::Status& status) { OnStored(news, status); });
}

void Poller::OnStored(const NewsPtr& news, const absl::Status& status) {
  if (!status.ok()) return Abandon(news, false);
  SnapshotPtr newest;
  if (news->advanced.visible) newest = publish_(news->advanced.record);
  {
    MutexLock lock(mutex_);
    Leave(news->size);
    SettleAs(news, std::move(newest));
  }
  Pump();
}

void Poller::Abandon(const NewsPtr& news, bool gone) {
  {
    MutexLock lock(mutex_);
    Leave(news->size);
    if (gone) {
      Remove(news->job->key());
    } else if (Entry* const entry = FindEntry(news->job->key())) {
      // Nothing was kept, so nothing happened: the next poll must find the same news again.
      entry->digest = 0;
      Settle(*entry, options_.curve.error_max);
    }
  }
  Pump();
}

Duration Poller::DelayAfter(const Entry& entry, const JobRecord& record,
                            const pictory::JobReply& reply, WallTime wall) {
  const PollFacts facts{
      .record = &record,
      .polls = entry.polls,
      .errors = entry.errors,
      .watched = entry.watched,
      .outcome = reply.kind,
      .retry_after = reply.retry_after,
      .fair_interval = FairInterval(entry.job->tenant),
  };
  return NextPollDelay(options_.curve, facts, wall, random_.Uniform());
}

// As if all jobs took turns; but of a tenant with less than its share of them, as if tenants did.
Duration Poller::FairInterval(const std::string& tenant) const {
  const std::size_t turns = std::min(entries_.size(), jobs_of_.at(tenant) * jobs_of_.size());
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(turns) / account_.requests_per_second()));
}

void Poller::Settle(Entry& entry, Duration delay) {
  entry.busy = false;
  MonoTime due = clock_.Now() + delay;
  const bool hinted = entry.hint_waits;
  entry.hint_waits = false;
  if (hinted && entry.errors == 0) {
    const MonoTime at = std::max(clock_.Now(), entry.hinted + limits::kHintInterval);
    if (at < due) due = entry.hinted = at;
  }
  // `delay` may have been reckoned when nobody watched.
  const bool watcher = entry.watcher_waits;
  entry.watcher_waits = false;
  if (watcher && !Stubborn(entry)) due = std::min(due, clock_.Now() + options_.curve.first);
  Place(entry, due);
}

// As Settle, or done for good. `newest` is null if callers see no change.
void Poller::SettleAs(const NewsPtr& news, SnapshotPtr newest) {
  if (IsFinal(news->advanced.record.job.state)) return Remove(news->job->key());
  Entry* const entry = FindEntry(news->job->key());
  if (entry == nullptr) return;
  Note(*entry, news->advanced.record);
  if (newest != nullptr) entry->job = std::move(newest);
  Settle(*entry, news->delay);
}

}  // namespace gateway::jobs
