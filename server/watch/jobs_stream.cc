#include "watch/jobs_stream.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "jobs/watch_events.h"

namespace gateway::watch {

namespace v1 = jobs::v1;

JobsStream::JobsStream(JobsStreamOptions options, JobsStreamGround ground, StreamSink& sink)
    : Stream(ground.clock, sink, options.stuck, options.max_life),
      tenant_(options.filter.tenant),
      filter_(std::make_shared<JobFilter>(std::move(options.filter))),
      names_(std::move(options.names)),
      options_(std::move(options)),
      ground_(ground),
      place_(options_.resume.value_or(ResumeToken{})) {
  place_.filter_hash = options_.filter_hash;
}

void JobsStream::Begin() {
  {
    MutexLock lock(mutex_);
    phase_ = Phase::kResolving;
  }
  Advance();
}

// This is the one place that orders what a stream may do next.
Stream::Step JobsStream::Next(const std::optional<absl::Status>& ending) {
  if (ending.has_value()) return {.finish = *ending};
  Step step;
  while (ready_.empty() && !asked_ && !step.run) {
    const Phase before = phase_;
    const std::size_t waiting = looks_.size() + queue_.size();
    step = Go();
    if (before == phase_ && waiting == looks_.size() + queue_.size()) break;
  }
  if (!ready_.empty()) {
    heartbeat_due_ = false;
    step = {.write = std::move(ready_.front())};
    ready_.pop_front();
    told_ = true;
  } else if (heartbeat_due_ && !step.run) {
    heartbeat_due_ = false;
    told_ = true;
    step = {.write = WithToken(jobs::JobsHeartbeatEvent(degraded(options_.account), store_away()),
                               nullptr)};
  }
  return step;
}

Stream::Step JobsStream::Go() {
  if (full_ != nullptr) return LoadFull();
  switch (phase_) {
    case Phase::kIdle:
      return {};
    case Phase::kResolving:
      return Resolve();
    case Phase::kPlacing:
      return FindPlace();
    case Phase::kListing:
      return List();
    case Phase::kCatchingUp:
      return CatchUp();
    case Phase::kLive:
      break;
  }
  if (queue_.empty()) return {};
  const JobChangePtr change = std::move(queue_.front());
  queue_.pop_front();
  queued_.erase(change->job_id);
  taking_ = true;
  return LookAt({.job_id = change->job_id, .gone = change->gone});
}

Stream::Step JobsStream::Ask(std::function<void()> question) {
  asked_ = true;
  return {.run = std::move(question)};
}

template <class Take>
void JobsStream::Answer(const Take& take) {
  {
    MutexLock lock(mutex_);
    asked_ = false;
    if (!finished()) take();
  }
  Advance();
}

Stream::Step JobsStream::Resolve() {
  if (resolved_ < names_.size()) {
    return Ask([self = Self(), name = std::move(names_[resolved_])] {
      self->ground_.hub.Load(self->tenant_, name,
                             [self, name](const absl::StatusOr<jobs::SnapshotPtr>& found) {
                               self->OnResolved(name, found);
                             });
    });
  }
  names_ = {};
  if (place_.position.empty()) {
    phase_ = Phase::kPlacing;
  } else if (!place_.listing) {
    phase_ = Phase::kCatchingUp;
    for (const std::string& name : missing_) TellGone(name);
  } else if (filter_->by_id || place_.last_job_id.empty()) {
    StartList(/*restarted=*/false);
  } else {
    phase_ = Phase::kListing;
  }
  return {};
}

void JobsStream::OnResolved(const std::string& name,
                            const absl::StatusOr<jobs::SnapshotPtr>& found) {
  if (found.ok() && options_.named) options_.named((*found)->key());
  Answer([&]() REQUIRES(mutex_) {
    ++resolved_;
    if (found.ok()) {
      filter_->job_ids.emplace((*found)->job_id());
      other_ids_ = other_ids_ || name != (*found)->job_id();
    } else if (absl::IsNotFound(found.status())) {
      missing_.push_back(name);
      other_ids_ = other_ids_ || !IsMintedJobId(name);
    } else {
      AskToEnd(found.status());
    }
  });
}

Stream::Step JobsStream::FindPlace() {
  return Ask([self = Self()] {
    self->ground_.feed.FindFeedEnd(
        [self](absl::StatusOr<std::string> end) { self->OnPlaced(std::move(end)); });
  });
}

void JobsStream::OnPlaced(absl::StatusOr<std::string> end) {
  Answer([&]() REQUIRES(mutex_) {
    if (!end.ok()) return AskToEnd(end.status());
    const bool restarted = !place_.position.empty();
    place_.position = *std::move(end);
    StartList(restarted);
  });
}

void JobsStream::StartList(bool restarted) {
  phase_ = Phase::kListing;
  other_ids_ = false;
  place_.listing = true;
  place_.last_job_id.clear();
  for (const std::string& id : filter_->job_ids) looks_.push_back({.job_id = id});
  for (const std::string& name : missing_) looks_.push_back({.job_id = name, .gone = true});
  Queue(jobs::ListStartedEvent(restarted));
}

void JobsStream::CompleteList() {
  phase_ = Phase::kCatchingUp;
  caught_up_ = false;
  place_.listing = false;
  place_.last_job_id.clear();
  Queue(jobs::ListCompletedEvent());
}

Stream::Step JobsStream::List() {
  if (filter_->by_id) {
    if (!looks_.empty()) return LookAtNext();
    CompleteList();
    return {};
  }
  jobs::ListQuery query{.states = filter_->states,
                        .kinds = filter_->kinds,
                        .labels = filter_->labels,
                        .created_from = std::nullopt,
                        .created_until = std::nullopt,
                        .before_job_id = place_.last_job_id,
                        .limit = list_limit_};
  return Ask([self = Self(), query = std::move(query)]() mutable {
    self->ground_.jobs.List(
        self->tenant_, std::move(query),
        [self](const absl::StatusOr<std::vector<jobs::JobRecord>>& page) { self->OnListed(page); });
  });
}

void JobsStream::OnListed(const absl::StatusOr<std::vector<jobs::JobRecord>>& page) {
  Answer([&]() REQUIRES(mutex_) {
    if (!page.ok()) return AskToEnd(page.status());
    if (page->empty()) return CompleteList();
    std::size_t held = 0;
    int taken = 0;
    for (const jobs::JobRecord& record : *page) {
      if (held > limits::kWatchJobsListHeldBytes) break;
      ++taken;
      place_.last_job_id = record.job.job_id;
      // The hub's word counts, as everywhere: a newer record is shown there in a moment, and told
      // then.
      jobs::SnapshotPtr job = ground_.hub.Find(record.job.tenant, record.job.job_id);
      if (job == nullptr || job->job_id() != record.job.job_id) {
        job = jobs::MakeSnapshot(record);
      }
      if (filter_->FitOf(job->kind, job->state) != JobFilter::Fit::kFits) continue;
      TellJob(job);
      held += ready_.back()->size();
    }
    // Where results are large, few records are read for what is held of them.
    list_limit_ = std::clamp(2 * taken, 1, limits::kWatchJobsListPage);
  });
}

Stream::Step JobsStream::CatchUp() {
  if (!looks_.empty()) return LookAtNext();
  if (!page_end_.empty()) place_.position = std::exchange(page_end_, {});
  if (caught_up_) {
    if (!hears_) return BeginToFollow();
    phase_ = Phase::kLive;
    other_ids_ = false;
    heartbeat_due_ = heartbeat_due_ || !told_;
    return {};
  }
  return Ask([self = Self(), position = place_.position] {
    self->ground_.feed.ReadFeed(
        position, limits::kWatchJobsFeedPage,
        [self](const absl::StatusOr<jobs::FeedPage>& page) { self->OnFeed(page); });
  });
}

void JobsStream::OnFeed(const absl::StatusOr<jobs::FeedPage>& page) {
  Answer([&]() REQUIRES(mutex_) {
    if (absl::IsOutOfRange(page.status())) {
      FallBehind();
      phase_ = Phase::kPlacing;
      return;
    }
    if (!page.ok()) return AskToEnd(page.status());
    for (const jobs::FeedEntry& entry : page->entries) {
      if (entry.job.tenant != tenant_) continue;
      // Which of Pictory's ids a job had that is gone is not known any more.
      const bool may_be_named = entry.gone && other_ids_;
      if (filter_->by_id && !may_be_named && !filter_->job_ids.contains(entry.job.id)) continue;
      looks_.push_back({.job_id = entry.job.id, .gone = entry.gone});
    }
    page_end_ = page->position;
    caught_up_ = page->entries.size() < static_cast<std::size_t>(limits::kWatchJobsFeedPage);
  });
}

Stream::Step JobsStream::BeginToFollow() {
  hears_ = true;
  return Ask([self = Self(), filter = filter_, number = ++tries_] {
    Follower::Following following = self->ground_.follower.Follow(
        filter, self,
        [self, number](const absl::Status& begun) { self->OnFollowing(number, begun); });
    MutexLock lock(self->mutex_);
    if (self->hears_ && self->tries_ == number && !self->finished()) {
      self->following_ = std::move(following);
    }
  });
}

// What has changed before the Follower began is still to be read.
void JobsStream::OnFollowing(std::uint64_t number, const absl::Status& begun) {
  Answer([&]() REQUIRES(mutex_) {
    caught_up_ = false;
    if (number == tries_ && !begun.ok()) AskToEnd(begun);
  });
}

Stream::Step JobsStream::LookAtNext() {
  Look look = std::move(looks_.front());
  looks_.pop_front();
  return LookAt(std::move(look));
}

Stream::Step JobsStream::LookAt(Look look) {
  if (look.gone) {
    Looked();
    TellGone(look.job_id);
    return {};
  }
  return Ask([self = Self(), look = std::move(look)] {
    self->ground_.hub.Load(self->tenant_, look.job_id,
                           [self, look](const absl::StatusOr<jobs::SnapshotPtr>& found) {
                             self->OnFound(look.job_id, found);
                           });
  });
}

void JobsStream::OnFound(const std::string& job_id,
                         const absl::StatusOr<jobs::SnapshotPtr>& found) {
  Answer([&]() REQUIRES(mutex_) {
    if (!found.ok() && !absl::IsNotFound(found.status())) return AskToEnd(found.status());
    // The feed has records that callers have not seen yet, or never see; it says itself which are
    // gone.
    const bool hidden = !found.ok() && phase_ == Phase::kCatchingUp;
    if (!found.ok() || (*found)->job_id() != job_id) {
      Looked();
      return hidden ? void() : TellGone(job_id);
    }
    const jobs::SnapshotPtr& job = *found;
    // The Follower has compared the labels.
    const bool about = phase_ == Phase::kLive || filter_->labels.empty() ||
                       filter_->IsAbout(job_id, jobs::LabelsOf(*job));
    const JobFilter::Fit fit =
        about ? filter_->FitOf(job->kind, job->state) : JobFilter::Fit::kNever;
    if (fit == JobFilter::Fit::kFits && options_.load_full &&
        job->state == v1::JOB_STATE_SUCCEEDED && phase_ != Phase::kListing) {
      full_ = job;
      return;
    }
    Looked();
    if (fit == JobFilter::Fit::kFits) TellJob(job);
    if (fit == JobFilter::Fit::kLeft) TellLeft(job);
  });
}

Stream::Step JobsStream::LoadFull() {
  return Ask([self = Self(), job = std::exchange(full_, nullptr)] {
    self->options_.load_full(
        job, [self](const absl::StatusOr<jobs::Frame>& frame) { self->OnFull(frame); });
  });
}

void JobsStream::OnFull(const absl::StatusOr<jobs::Frame>& frame) {
  Answer([&]() REQUIRES(mutex_) {
    if (!frame.ok()) return AskToEnd(frame.status());
    Looked();
    Queue(**frame, *frame);
  });
}

void JobsStream::TellJob(const jobs::SnapshotPtr& job) {
  Queue(jobs::JobEvent(job, degraded(job->account), ground_.estimates));
}

void JobsStream::TellLeft(const jobs::SnapshotPtr& job) {
  Queue(jobs::LeftEvent(job, degraded(job->account), ground_.estimates));
}

void JobsStream::TellGone(const std::string& job_id) { Queue(jobs::GoneEvent(job_id)); }

void JobsStream::Queue(std::string message, jobs::Frame held) {
  ready_.push_back(WithToken(std::move(message), std::move(held)));
}

jobs::Frame JobsStream::WithToken(std::string message, jobs::Frame held) const {
  struct Held {
    std::string bytes;
    jobs::Frame held;
  };
  // Before there is a place, another call can only begin anew.
  if (!place_.position.empty()) message += jobs::ResumeTokenField(TextOf(place_));
  const auto kept =
      std::make_shared<const Held>(Held{.bytes = std::move(message), .held = std::move(held)});
  return {kept, &kept->bytes};
}

void JobsStream::Looked() {
  if (!taking_) {
    if (looks_.empty() && !page_end_.empty()) place_.position = std::exchange(page_end_, {});
    return;
  }
  taking_ = false;
  ++taken_;
  while (mark_.has_value() && taken_ >= mark_->after) {
    place_.position = *mark_->position;
    mark_ = std::exchange(next_mark_, std::nullopt);
  }
}

void JobsStream::OnChange(const JobChangePtr& change) {
  {
    MutexLock lock(mutex_);
    if (finished() || !hears_ || queued_.contains(change->job_id)) return;
    if (queue_.size() >= limits::kWatchJobsQueueMax) {
      FallBehind();
    } else {
      queue_.push_back(change);
      queued_.insert(change->job_id);
    }
  }
  Advance();
}

void JobsStream::OnPosition(const FeedPositionPtr& position) {
  MutexLock lock(mutex_);
  if (finished() || !hears_ || phase_ != Phase::kLive) return;
  const std::uint64_t queued = taken_ + queue_.size() + (taking_ ? 1 : 0);
  if (queued == taken_) {
    place_.position = *position;
  } else {
    (mark_.has_value() ? next_mark_ : mark_) = Mark{.after = queued, .position = position};
  }
}

void JobsStream::OnLost() {
  {
    MutexLock lock(mutex_);
    if (finished()) return;
    FallBehind();
  }
  Advance();
}

// Drops what waits, and has it read from the feed again.
void JobsStream::FallBehind() {
  hears_ = false;
  ++tries_;
  following_.Reset();
  queue_.clear();
  queued_.clear();
  mark_.reset();
  next_mark_.reset();
  caught_up_ = false;
  if (phase_ == Phase::kLive) phase_ = Phase::kCatchingUp;
}

void JobsStream::OnQuietTick(MonoTime now) {
  if (now - last_write() >= options_.heartbeat) heartbeat_due_ = true;
}

MonoTime JobsStream::NextTick(MonoTime) const { return last_write() + options_.heartbeat; }

absl::Status JobsStream::Outlived() const {
  return ComeBack(
      "This watch is as old as one may get; connect again and go on from its last resume_token");
}

void JobsStream::OnFinish() {
  Follower::Following over;
  MutexLock lock(mutex_);
  over = std::move(following_);
  ready_.clear();
  looks_.clear();
  queue_.clear();
  queued_.clear();
}

}  // namespace gateway::watch
