#include "jobs/poller.h"

#include <algorithm>
#include <utility>

#include "jobs/guards.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

// So many replies in a row that said nothing, and watchers are told that what they see may lag.
constexpr int kDegradedAfter = 3;

bool SaidNothing(Kind kind) {
  return kind == Kind::kUnavailable || kind == Kind::kCredentials || kind == Kind::kRateLimited;
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
      timers_(timers),
      random_(random),
      publish_(std::move(publish)),
      events_(std::move(events)) {}

Poller::~Poller() { Stop(); }

void Poller::Follow(const JobRecord& record) {
  if (!IsPollable(record)) return;
  {
    MutexLock lock(mutex_);
    const JobKey key{record.job.tenant, record.job.job_id};
    auto [it, added] = entries_.try_emplace(key);
    if (!added) return;
    it->second.record = record;
    PollFacts facts{.record = &record};
    Place(it->second, key,
          clock_.Now() + NextPollDelay(options_.curve, facts, clock_.WallNow(), random_.Uniform()));
  }
  Pump();
}

void Poller::FollowRecovered(const std::vector<JobRecord>& records) {
  {
    MutexLock lock(mutex_);
    const WallTime wall = clock_.WallNow();
    for (const JobRecord& record : records) {
      if (!IsPollable(record)) continue;
      const JobKey key{record.job.tenant, record.job.job_id};
      auto [it, added] = entries_.try_emplace(key);
      if (!added) continue;
      it->second.record = record;
      Duration delay = FirstPollAfterRestart(options_.curve, records.size(),
                                             account_.requests_per_second(), random_.Uniform());
      // What was planned for later stays later; a wall clock that jumped must not park a job for good.
      // But a result that was too large may not be any more: settings change at a restart.
      const Duration planned =
          record.result_too_large ? Duration::zero() : Duration(record.next_poll_at - wall);
      if (planned > delay && planned <= limits::kStalePollInterval * 2) delay = planned;
      Place(it->second, key, clock_.Now() + delay);
    }
  }
  Pump();
}

void Poller::SetWatched(const std::string& tenant, const std::string& job_id, bool watched) {
  {
    MutexLock lock(mutex_);
    const JobKey key{tenant, job_id};
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.watched == watched) return;
    Entry& entry = found->second;
    entry.watched = watched;
    if (!watched || entry.busy || entry.errors > 0 || entry.record.result_too_large) return;
    // The wait so far may have been for nobody: no watcher waits longer than the curve's first step.
    const MonoTime soon = clock_.Now() + options_.curve.first;
    if (entry.due <= soon) return;
    Place(entry, key, soon);
  }
  Pump();
}

void Poller::Hint(const std::string& tenant, const std::string& job_id) {
  {
    MutexLock lock(mutex_);
    const JobKey key{tenant, job_id};
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (entry.busy) {
      entry.hint_waits = true;
      return;
    }
    if (entry.errors > 0) return;  // Pictory does not answer; a hint changes nothing about that
    const MonoTime at = std::max(clock_.Now(), entry.hinted + limits::kHintInterval);
    if (entry.due <= at) return;
    entry.hinted = at;
    Place(entry, key, at);
  }
  Pump();
}

void Poller::Stop() {
  Timers::Id timer;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    timer = std::exchange(timer_, Timers::kNone);
  }
  if (timer != Timers::kNone) timers_.Cancel(timer);
}

std::size_t Poller::followed() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

std::size_t Poller::in_flight() const {
  MutexLock lock(mutex_);
  return in_flight_;
}

void Poller::Place(Entry& entry, const JobKey& key, MonoTime due) {
  entry.due = due;
  entry.turn = ++turns_;
  heap_.push_back({due, entry.turn, key});
  std::push_heap(heap_.begin(), heap_.end());
}

// Moves what is due from the heap to its tenant's queue.
void Poller::CollectDue(MonoTime now) {
  while (!heap_.empty() && heap_.front().when <= now) {
    std::pop_heap(heap_.begin(), heap_.end());
    Due due = std::move(heap_.back());
    heap_.pop_back();
    const auto found = entries_.find(due.key);
    if (found == entries_.end() || found->second.turn != due.turn) continue;
    ready_[due.key.tenant].push_back(std::move(due.key));
  }
}

// The next job to poll: tenants take turns, each in the order its jobs fell due.
std::optional<JobKey> Poller::NextReady() {
  if (ready_.empty()) return std::nullopt;
  auto it = ready_.upper_bound(last_tenant_);
  if (it == ready_.end()) it = ready_.begin();
  last_tenant_ = it->first;
  JobKey key = std::move(it->second.front());
  it->second.pop_front();
  if (it->second.empty()) ready_.erase(it);
  return key;
}

void Poller::Arm(MonoTime when) {
  if (timer_ != Timers::kNone && timer_at_ <= when) return;
  if (timer_ != Timers::kNone) timers_.Cancel(timer_);
  timer_at_ = when;
  timer_ = timers_.At(when, [this] {
    {
      MutexLock lock(mutex_);
      timer_ = Timers::kNone;
      timer_at_ = MonoTime::max();
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
    if (!heap_.empty()) Arm(heap_.front().when);
  }
  for (Started& poll : started) {
    client_.GetJob(
        poll.pictory_job_id, poll.kind, poll.digest,
        [this, key = poll.key, size = poll.size](pictory::JobReply reply) {
          OnReply(key, size, std::move(reply));
        },
        poll.size);
  }
}

std::optional<Poller::Started> Poller::StartNext(MonoTime now) {
  while (!ready_.empty() && in_flight_ < static_cast<std::size_t>(options_.in_flight_max)) {
    if (!account_.TryTake(Budget::Share::kPoll)) {
      Arm(std::max(account_.NextAt(Budget::Share::kPoll), now + std::chrono::milliseconds(1)));
      break;
    }
    std::optional<JobKey> key = NextReady();
    const auto found = entries_.find(*key);
    const bool free = found != entries_.end() && !found->second.busy;
    if (!free || (found->second.large && large_in_flight_ >= options_.large_in_flight_max)) {
      account_.Refund(Budget::Share::kPoll);
      if (free) large_waiting_.push_back(*std::move(key));
      continue;
    }
    Entry& entry = found->second;
    entry.busy = true;
    ++in_flight_;
    if (entry.large) ++large_in_flight_;
    // While an answer awaits a second look, the same bytes again are news.
    const bool doubtful = entry.record.failure_seen || entry.record.incomplete_since.has_value();
    return Started{*std::move(key), entry.record.job.pictory_job_id, entry.record.job.kind,
                   doubtful ? 0 : entry.digest,
                   entry.large ? pictory::ReplySize::kAny : pictory::ReplySize::kSmall};
  }
  return std::nullopt;
}

void Poller::Leave(pictory::ReplySize size) {
  --in_flight_;
  if (size == pictory::ReplySize::kSmall) return;
  --large_in_flight_;
  if (large_waiting_.empty()) return;
  JobKey next = std::move(large_waiting_.front());
  large_waiting_.pop_front();
  ready_[next.tenant].push_front(std::move(next));
}

void Poller::NoteAccount(const pictory::JobReply& reply) {
  bool degraded;
  {
    MutexLock lock(mutex_);
    silent_replies_ = SaidNothing(reply.kind) ? silent_replies_ + 1 : 0;
    degraded = silent_replies_ >= kDegradedAfter;
  }
  if (reply.kind == Kind::kRateLimited) account_.OnRateLimited(reply.retry_after);
  if (reply.kind == Kind::kCredentials) {
    account_.Pause(options_.credentials_pause);
    if (events_.credentials_refused) events_.credentials_refused(reply);
  }
  if (account_.SetDegraded(degraded) && events_.degraded_changed) events_.degraded_changed(degraded);
}

void Poller::OnReply(const JobKey& key, pictory::ReplySize size, pictory::JobReply reply) {
  NoteAccount(reply);
  JobRecord before;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (stopped_ || found == entries_.end()) {
      Leave(size);
      return;
    }
    Entry& entry = found->second;
    if (reply.kind == Kind::kLarge) {  // at once again, for all of it
      entry.large = true;
      Leave(size);
      Settle(key, entry.record, Duration::zero());
    } else {
      ++entry.polls;
    }
    entry.errors = SaidNothing(reply.kind) ? entry.errors + 1 : 0;
    if (!SaidNothing(reply.kind)) entry.digest = reply.digest;
    before = entry.record;
  }
  if (events_.replied) events_.replied(before, reply);
  if (reply.kind == Kind::kLarge) return Pump();

  const WallTime wall = clock_.WallNow();
  Advanced advanced = Advance(before, reply, wall);
  if (advanced.contradiction && events_.contradicted) events_.contradicted(before, reply);
  Duration delay;
  {
    MutexLock lock(mutex_);
    delay = DelayAfter(key, advanced.record, reply, wall);
    if (!advanced.store) {
      Leave(size);
      Settle(key, std::move(advanced.record), delay);
    }
  }
  if (!advanced.store) return Pump();

  if (advanced.visible && IsOff(Guard::kStoredBeforePublish)) publish_(advanced.record);
  advanced.record.next_poll_at = wall + std::chrono::duration_cast<WallTime::duration>(delay);
  std::vector<pictory::JobResult::Part> parts;
  if (IsFinal(advanced.record.job.state) && reply.result != nullptr) parts = reply.result->parts;
  JobRecord to_store = advanced.record;
  store_.Update(std::move(to_store), std::move(parts),
                [this, key, size, delay, advanced = std::move(advanced)](const absl::Status& status) {
                  OnStored(key, size, advanced, delay, status);
                });
}

void Poller::OnStored(const JobKey& key, pictory::ReplySize size, const Advanced& advanced,
                      Duration delay, const absl::Status& status) {
  if (status.ok() && advanced.visible) publish_(advanced.record);
  {
    MutexLock lock(mutex_);
    Leave(size);
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      if (status.ok()) {
        Settle(key, advanced.record, delay);
      } else {
        // Nothing was kept, so nothing happened: the next poll must find the same news again.
        found->second.digest = 0;
        Settle(key, found->second.record, options_.curve.error_max);
      }
    }
  }
  Pump();
}

Duration Poller::DelayAfter(const JobKey& key, const JobRecord& record,
                            const pictory::JobReply& reply, WallTime wall) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return Duration::zero();
  const PollFacts facts{
      .record = &record,
      .polls = found->second.polls,
      .errors = found->second.errors,
      .watched = found->second.watched,
      .outcome = reply.kind,
      .retry_after = reply.retry_after,
      .fair_interval = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
          static_cast<double>(entries_.size()) / account_.requests_per_second())),
  };
  return NextPollDelay(options_.curve, facts, wall, random_.Uniform());
}

// A job's round is over: it is due again after `delay`, or done for good.
void Poller::Settle(const JobKey& key, JobRecord record, Duration delay) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  if (IsFinal(record.job.state)) {
    entries_.erase(found);
    return;
  }
  Entry& entry = found->second;
  entry.record = std::move(record);
  entry.busy = false;
  MonoTime due = clock_.Now() + delay;
  if (std::exchange(entry.hint_waits, false) && entry.errors == 0) {
    const MonoTime at = std::max(clock_.Now(), entry.hinted + limits::kHintInterval);
    if (at < due) due = entry.hinted = at;
  }
  Place(entry, key, due);
}

}  // namespace gateway::jobs
