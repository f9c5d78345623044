#include "notify/notifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "jobs/notification.h"
#include "jobs/proto_time.h"
#include "notify/event.h"
#include "notify/signature.h"

namespace gateway::notify {

namespace v1 = jobs::v1;
using jobs::JobKey;
using jobs::JobRecord;

namespace {

jobs::ShardJob PlaceOf(const JobRecord& record) {
  return {.job = {record.job.tenant, record.job.job_id}, .shard = record.job.shard};
}

}  // namespace

Notifier::Notifier(bool loopback, NotifierHands hands, http::HttpTransport& transport,
                   const jobs::Shards& shards, jobs::Ledger& ledger, jobs::Jobs& jobs,
                   const Clock& clock, Timers& timers, Random& random, NotifierEvents events)
    : loopback_(loopback),
      hands_(std::move(hands)),
      transport_(transport),
      shards_(shards),
      ledger_(ledger),
      jobs_(jobs),
      clock_(clock),
      random_(random),
      events_(std::move(events)),
      queue_({}),
      next_(timers) {}

void Notifier::Start() {
  {
    MutexLock lock(mutex_);
    started_ = true;
  }
  Pump();
}

void Notifier::Stop() {
  next_.Stop();
  MutexLock lock(mutex_);
  stopped_ = true;
}

std::size_t Notifier::waiting() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

bool Notifier::HasRoom(const std::string& tenant) const {
  MutexLock lock(mutex_);
  return queue_.size() < limits::kNotifyWaitingMax &&
         queue_.size_of(tenant) < limits::kNotifyWaitingOfTenantMax;
}

// Whether a notification of the record's state is wanted, and not planned yet.
bool Notifier::Wants(const JobRecord& record) const {
  const jobs::JobState state = record.job.state;
  if (!jobs::IsFinal(state) && state != v1::JOB_STATE_UNCONFIRMED) return false;
  if (!jobs::IsVisible(record)) return false;
  const v1::Notification known = jobs::NotificationOf(record);
  if (known.job_state() == state) return false;
  const tenants::NotifyRules rules = hands_.rules(record.job.tenant);
  return rules.states.contains(state) && !(known.url().empty() && rules.url.empty());
}

void Notifier::Plan(JobRecord& record) {
  if (!Wants(record)) return;
  const bool has_room = HasRoom(record.job.tenant);
  if (jobs::PlanNotification(record, has_room) && !has_room) ++counts_.given_up;
}

// What a restart has made UNCONFIRMED was not planned, and is when its turn comes.
bool Notifier::IsDue(const JobRecord& record) const {
  return jobs::NotifyingOf(record) == v1::NOTIFICATION_STATE_PENDING ||
         (record.job.state == v1::JOB_STATE_UNCONFIRMED && Wants(record));
}

void Notifier::OnChange(const JobRecord& record) {
  if (IsDue(record)) Add(PlaceOf(record), clock_.Now());
}

void Notifier::OnFound(const JobRecord& record) {
  if (IsDue(record)) Follow(PlaceOf(record));
}

void Notifier::Follow(const jobs::ShardJob& job) {
  Add(job, std::max(clock_.Now(), shards_.HeldSince(job.shard) + limits::kNotifyHandOver));
}

void Notifier::Add(const jobs::ShardJob& job, MonoTime due) {
  {
    MutexLock lock(mutex_);
    if (stopped_ || !shards_.Has(job.shard)) return;
    queue_.Add(job, due);
  }
  Pump();
}

void Notifier::DropLost() {
  {
    MutexLock lock(mutex_);
    queue_.DropLost([this](std::int32_t shard) { return shards_.Has(shard); });
  }
  Pump();
}

// One call at a time begins what is due: what the store answers inside the call makes no deeper
// call.
void Notifier::Pump() {
  {
    MutexLock lock(mutex_);
    again_ = true;
    if (std::exchange(pumping_, true)) return;
  }
  for (;;) {
    std::vector<JobKey> begun;
    {
      MutexLock lock(mutex_);
      if (!started_ || stopped_ || !std::exchange(again_, false)) {
        pumping_ = false;
        return;
      }
      while (std::optional<JobKey> job = queue_.Next(clock_.Now())) {
        begun.push_back(*std::move(job));
      }
      if (const MonoTime due = queue_.next_due(); due != MonoTime::max()) {
        next_.At(due, [this] { Pump(); });
      }
    }
    for (const JobKey& job : begun) Begin(job);
  }
}

void Notifier::Finish(const JobKey& key, std::optional<Duration> pause) {
  {
    MutexLock lock(mutex_);
    queue_.Finish(key, pause.has_value() ? std::optional(clock_.Now() + *pause) : std::nullopt);
  }
  Pump();
}

void Notifier::Begin(const JobKey& key) {
  jobs_.Find(key.tenant, key.id, [this, key](absl::StatusOr<std::optional<JobRecord>> found) {
    if (!found.ok()) return Finish(key, limits::kNotifyRetryFirst);
    const bool there = found->has_value() && (*found)->job.job_id == key.id;
    if (!there) return Finish(key, std::nullopt);
    Take(key, **std::move(found));
  });
}

void Notifier::Take(const JobKey& key, JobRecord record) {
  if (!shards_.Has(record.job.shard)) return Finish(key, std::nullopt);
  if (Wants(record)) {
    // The ledger has it planned.
    return ledger_.Update(
        {.record = std::move(record), .hidden = true},
        [this, key](const jobs::Ledger::Outcome& stored) {
          const bool gone = absl::IsNotFound(stored.status);
          const bool later = !stored.status.ok() && !absl::IsAborted(stored.status);
          if (gone) return Finish(key, std::nullopt);
          Finish(key, later ? Duration(limits::kNotifyRetryFirst) : Duration::zero());
        });
  }
  if (jobs::NotifyingOf(record) != v1::NOTIFICATION_STATE_PENDING) {
    return Finish(key, std::nullopt);
  }
  const v1::Notification notification = jobs::NotificationOf(record);
  if (notification.has_next_try_time()) {
    // However far a clock was set back, nothing waits for longer than the longest pause.
    const Duration left = std::min<Duration>(
        jobs::ToWallTime(notification.next_try_time()) - clock_.WallNow(), limits::kNotifyRetryMax);
    if (left > Duration::zero()) return Finish(key, left);
  }
  const tenants::NotifyRules rules = hands_.rules(key.tenant);
  absl::StatusOr<Destination> to = DestinationOf(notification.url(), rules, loopback_);
  auto turn = std::make_shared<Turn>();
  turn->key = key;
  turn->record = std::move(record);
  if (!to.ok()) {
    turn->tried = {.hopeless = true,
                   .problem = absl::StrCat("The URL ", std::string(to.status().message()))};
    return Store(turn, turn->record);
  }
  turn->to = *std::move(to);
  bool entered = false;
  {
    MutexLock lock(mutex_);
    entered = queue_.EnterHost(key, turn->to.host);
  }
  // Its place is free for another.
  if (!entered) return Pump();
  hands_.run([this, turn, rules] { Send(turn, rules); });
}

// While the lease of the shard has run out another process may have it.
bool Notifier::MaySend(const Turn& turn) {
  if (shards_.Holds(turn.record.job.shard)) return true;
  Finish(turn.key, limits::kStoreLeaseRenewal);
  return false;
}

void Notifier::Send(const TurnPtr& turn, const tenants::NotifyRules& rules) {
  const absl::StatusOr<std::vector<Secret>> keys = hands_.keys(rules);
  if (!keys.ok()) {
    turn->tried = {.problem = "The secret to sign with cannot be read"};
    turn->detail = std::string(keys.status().message());
    return Store(turn, turn->record);
  }
  const v1::Notification notification = jobs::NotificationOf(turn->record);
  const std::string id = jobs::NotificationId(turn->record.job.job_id, notification.job_state());
  const std::int64_t now =
      std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch().count();
  auto body = std::make_shared<const std::string>(EventBody(turn->record));
  http::Request request;
  request.lane = http::Lane::kPaid;
  request.purpose = "notify";
  request.method = "POST";
  request.url = turn->to.url;
  request.reach = turn->to.reach;
  request.headers = {{"content-type", kEventMediaType},
                     {"webhook-id", id},
                     {"webhook-timestamp", absl::StrCat(now)},
                     {"webhook-signature", Sign(*keys, id, now, *body)}};
  request.body = std::move(body);
  request.timeout = limits::kNotifyTimeout;
  request.max_body_bytes = limits::kNotifyAnswerMaxBytes;
  if (!MaySend(*turn)) return;
  transport_.Start(std::move(request), [this, turn](const http::Response& response) {
    turn->tried = TryOf(response, clock_.WallNow());
    turn->detail = response.error;
    Store(turn, turn->record);
  });
}

// If somebody else has changed the record meanwhile, what came of the try is noted in the changed
// one, unless that has another notification by now.
void Notifier::Store(const TurnPtr& turn, JobRecord record) {
  v1::Notification notification = jobs::NotificationOf(record);
  const v1::Notification sent = jobs::NotificationOf(turn->record);
  if (jobs::NotifyingOf(record) != v1::NOTIFICATION_STATE_PENDING ||
      notification.job_state() != sent.job_state()) {
    return Finish(turn->key, Duration::zero());
  }
  Note(turn->tried, clock_.WallNow(), random_.Uniform(), notification);
  jobs::SetNotification(notification, record);
  ledger_.Update({.record = std::move(record), .hidden = true},
                 [this, turn, notification](const jobs::Ledger::Outcome& stored) {
                   if (absl::IsAborted(stored.status)) return Store(turn, stored.record);
                   if (absl::IsNotFound(stored.status)) return Finish(turn->key, std::nullopt);
                   if (!stored.status.ok()) {
                     return Finish(turn->key, Duration(limits::kNotifyRetryFirst));
                   }
                   Tell(*turn, notification);
                   if (notification.state() != v1::NOTIFICATION_STATE_PENDING) {
                     return Finish(turn->key, std::nullopt);
                   }
                   Finish(turn->key,
                          jobs::ToWallTime(notification.next_try_time()) - clock_.WallNow());
                 });
}

void Notifier::Tell(const Turn& turn, const v1::Notification& notification) {
  switch (notification.state()) {
    case v1::NOTIFICATION_STATE_DELIVERED:
      ++counts_.delivered;
      break;
    case v1::NOTIFICATION_STATE_GIVEN_UP:
      ++counts_.given_up;
      break;
    default:
      ++counts_.retried;
  }
  if (events_.tried) events_.tried(turn.record.job, notification, turn.to.host, turn.detail);
}

void Notifier::Replay(const std::string& tenant, const std::string& job,
                      std::function<void(absl::StatusOr<v1::Notification>)> done) {
  jobs_.Find(tenant, job,
             [this, job, done = std::move(done)](absl::StatusOr<std::optional<JobRecord>> found) {
               if (!found.ok()) return done(found.status());
               if (!found->has_value()) return done(errors::JobNotFound(job));
               Renew(**std::move(found), done);
             });
}

void Notifier::Renew(JobRecord record, std::function<void(absl::StatusOr<v1::Notification>)> done) {
  if (Wants(record)) jobs::PlanNotification(record, /*has_room=*/true);
  v1::Notification notification = jobs::NotificationOf(record);
  if (notification.job_state() != record.job.state) {
    return done(errors::NoNotification(record.job.job_id));
  }
  notification.set_state(v1::NOTIFICATION_STATE_PENDING);
  notification.set_tries(0);
  notification.clear_first_try_time();
  notification.clear_next_try_time();
  notification.clear_problem();
  jobs::SetNotification(notification, record);
  ledger_.Update({.record = std::move(record), .hidden = true},
                 [this, done = std::move(done)](const jobs::Ledger::Outcome& stored) {
                   if (absl::IsAborted(stored.status)) return Renew(stored.record, done);
                   if (absl::IsNotFound(stored.status)) {
                     return done(errors::JobNotFound(stored.record.job.job_id));
                   }
                   if (!stored.status.ok()) return done(stored.status);
                   OnChange(stored.record);
                   done(jobs::ShownNotification(stored.record));
                 });
}

}  // namespace gateway::notify
