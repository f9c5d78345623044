// The second half of a poll: what its reply says of the account and of the job, and when to ask
// again.
#include <algorithm>
#include <limits>
#include <utility>

#include "jobs/poller.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;
using pictory::Speaks;

// The most that an entry can count: by then every curve has met its cap, and every wait its limit.
constexpr int kErrorsCounted = 31;
constexpr int kPatienceCounted = 7;

}  // namespace

void Poller::NoteAsked(Lane& lane) {
  Asked asked;
  {
    MutexLock lock(mutex_);
    asked = lane.asked = AfterAnswer(lane.asked, clock_.WallNow());
    if (!IsWorthNoting(lane.noted, asked)) return;
    lane.noted = asked;
  }
  // If this cannot be stored, the next one is; all it costs is that a break looks longer than it
  // was.
  jobs_.NoteAsked(lane.account, asked, [](const absl::Status&) {});
}

void Poller::NoteFollowed(const Lane& lane) {
  {
    MutexLock lock(mutex_);
    if (lane.jobs > 0) return;
  }
  upstreams_.Of(lane.account)->NoteNothingFollowed();
}

void Poller::OnReply(const SnapshotPtr& job, const Ask& ask, pictory::JobReply reply) {
  if (Speaks(reply.kind)) NoteAsked(*ask.lane);
  if (events_.replied) events_.replied(*job, reply);
  if (!TakeReply(job, ask, reply)) return Pump();
  auto news = std::make_shared<News>();
  news->job = job;
  news->ask = ask;
  news->reply = std::move(reply);
  jobs_.Find(job->tenant, std::string(job->job_id()),
             [this, news](absl::StatusOr<std::optional<JobRecord>> found) {
               if (!found.ok() || !found->has_value())
                 return Abandon(news, found.ok(), found.status());
               // Another job has taken it over, and is polled by itself.
               if ((*found)->job.job_id != news->job->job_id()) return Abandon(news, true);
               OnRecord(news, **std::move(found));
             });
}

void Poller::NoteReply(Entry& entry, const Ask& ask, const pictory::JobReply& reply) {
  if (!SaidNothing(reply.kind)) entry.digest = reply.digest;
  if (Speaks(reply.kind)) {
    entry.errors = 0;
  } else if (entry.errors < kErrorsCounted) {
    ++entry.errors;
  }
  const Duration waited = TimeoutOf(entry);
  if (!reply.timed_out) {
    // The reply has come within the shortest time, so that the job needs no more.
    if (Speaks(reply.kind) && !IsSlow(ask)) entry.patience = 0;
  } else if (ask.timeout >= waited && waited < options_.timeout_max &&
             entry.patience < kPatienceCounted) {
    ++entry.patience;
  }
}

bool Poller::TakeReply(const SnapshotPtr& job, const Ask& ask, const pictory::JobReply& reply) {
  MutexLock lock(mutex_);
  Entry* const entry = FindEntry(job->key());
  if (stopped_ || entry == nullptr) {
    Leave(ask);
    return false;
  }
  NoteReply(*entry, ask, reply);
  if (reply.kind == Kind::kLarge) {  // at once again, for all of it
    entry->large = true;
    Leave(ask);
    Reschedule(*entry, Duration::zero());
    return false;
  }
  if (entry->polls < std::numeric_limits<std::uint16_t>::max()) ++entry->polls;
  // Time alone changes a job too, unless the job is young.
  const WallTime wall = clock_.WallNow();
  const bool old = AgeSince(entry->accepted_at, ask.lane->asked, wall) >= limits::kStaleAfter;
  if (old || !(SaidNothing(reply.kind) || reply.kind == Kind::kUnchanged)) return true;
  JobRecord known;  // as far as the schedule cares
  known.accepted_at = entry->accepted_at;
  known.notice = entry->too_large ? Notice::kTooLarge : Notice::kNone;
  Leave(ask);
  Reschedule(*entry, DelayAfter(*entry, known, reply, wall));
  return false;
}

void Poller::OnRecord(const NewsPtr& news, JobRecord record) {
  const WallTime wall = clock_.WallNow();
  Asked asked;
  {
    MutexLock lock(mutex_);
    asked = news->ask.lane->asked;
  }
  news->advanced = Advance(record, news->reply, wall, asked);
  Advanced& advanced = news->advanced;
  news->too_large =
      record.notice != Notice::kTooLarge && advanced.record.notice == Notice::kTooLarge;
  if (advanced.contradiction && events_.contradicted) events_.contradicted(record, news->reply);
  {
    MutexLock lock(mutex_);
    if (const Entry* const entry = FindEntry(news->job->key())) {
      news->delay = DelayAfter(*entry, advanced.record, news->reply, wall);
    }
    if (!advanced.store) {
      Leave(news->ask);
      RescheduleAs(news, nullptr);
    }
  }
  if (!advanced.store) return Pump();

  if (events_.storing) events_.storing(advanced.record);
  advanced.record.next_poll_at = wall + std::chrono::duration_cast<WallTime::duration>(news->delay);
  ledger_.Update({.record = advanced.record,
                  .parts = PartsToStore(advanced.record, news->reply),
                  .hidden = !advanced.visible},
                 [this, news](Ledger::Outcome outcome) { OnStored(news, std::move(outcome)); });
}

// If somebody else has changed the record meanwhile, the reply is news for the changed one.
void Poller::OnStored(const NewsPtr& news, Ledger::Outcome outcome) {
  if (absl::IsAborted(outcome.status)) {
    if (!IsPollable(outcome.record)) return Abandon(news, /*gone=*/true);
    return OnRecord(news, std::move(outcome.record));
  }
  if (!outcome.status.ok()) {
    return Abandon(news, absl::IsNotFound(outcome.status), outcome.status);
  }
  {
    MutexLock lock(mutex_);
    Leave(news->ask);
    RescheduleAs(news, std::move(outcome.seen));
  }
  if (news->too_large && events_.too_large) events_.too_large(news->advanced.record);
  NoteFollowed(*news->ask.lane);
  Pump();
}

void Poller::Abandon(const NewsPtr& news, bool gone, const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    Leave(news->ask);
    if (gone) {
      Remove(news->job->key());
    } else if (Entry* const entry = FindEntry(news->job->key())) {
      // Nothing was stored, so the next poll must find the same news again.
      entry->digest = 0;
      const bool away = absl::IsUnavailable(why);
      Reschedule(*entry, away ? std::min<Duration>(limits::kPollUnstored, options_.curve.error_max)
                              : options_.curve.error_max);
    }
  }
  NoteFollowed(*news->ask.lane);
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
      .asked_since = entry.lane->asked.since,
      .fair_interval = FairInterval(*entry.lane, entry.job->tenant),
  };
  return NextPollDelay(options_.curve, facts, wall, random_.Uniform());
}

// The interval at which a job may be polled if all jobs of the account took turns; for a tenant
// with less than its share of them, if all tenants did.
Duration Poller::FairInterval(const Lane& lane, const std::string& tenant) {
  return TimeOf(FairTurns(lane.jobs, lane.jobs_of.at(tenant), lane.jobs_of.size()), lane.account);
}

Duration Poller::TimeOf(std::size_t requests, const std::string& account) const {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      static_cast<double>(requests) / upstreams_.Of(account)->requests_per_second()));
}

void Poller::Reschedule(Entry& entry, Duration delay) {
  entry.busy = false;
  busy_.erase(&entry);
  MonoTime due = clock_.Now() + delay;
  const bool hinted = entry.hint_waits;
  entry.hint_waits = false;
  if (hinted) {
    const MonoTime at = std::max(clock_.Now(), entry.hinted + limits::kHintInterval);
    if (at < due) due = entry.hinted = at;
  }
  // `delay` may have been computed when nobody watched.
  const bool watcher = entry.watcher_waits;
  entry.watcher_waits = false;
  if (watcher && !Stubborn(entry)) due = std::min(due, clock_.Now() + options_.curve.first);
  Place(entry, due);
}

// Does as Reschedule, or drops a job that has ended. `newest` is null if callers see no change.
void Poller::RescheduleAs(const NewsPtr& news, SnapshotPtr newest) {
  if (IsFinal(news->advanced.record.job.state)) return Remove(news->job->key());
  Entry* const entry = FindEntry(news->job->key());
  if (entry == nullptr) return;
  Note(*entry, news->advanced.record);
  if (newest != nullptr) entry->job = std::move(newest);
  Reschedule(*entry, news->delay);
}

}  // namespace gateway::jobs
