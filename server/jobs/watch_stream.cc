#include "jobs/watch_stream.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace gateway::jobs {
namespace {

MonoTime After(MonoTime now, Duration life) {
  return life >= MonoTime::max() - now ? MonoTime::max() : now + life;
}

absl::Status Aged() {
  // With the details of a drain, because to programs it is the same: connect again and go on there.
  const absl::Status draining = errors::Draining(Duration::zero());
  absl::Status aged(draining.code(),
                    "This watch is as old as one may get; connect again and go on from its last "
                    "revision");
  draining.ForEachPayload([&aged](absl::string_view type_url, const absl::Cord& payload) {
    aged.SetPayload(type_url, payload);
  });
  return aged;
}

}  // namespace

WatchStream::WatchStream(WatchOptions options, const Clock& clock, WatchSink& sink)
    : options_(std::move(options)),
      clock_(clock),
      ends_at_(After(clock.Now(), options_.max_life)),
      sink_(sink),
      last_write_(clock.Now()) {}

MonoTime WatchStream::FirstTick() const {
  return std::min(ends_at_, clock_.Now() + options_.heartbeat);
}

void WatchStream::Begin(Hub::Subscribed subscribed) {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    if (finished_) return;  // `subscribed` goes after the lock
    subscription_ = std::move(subscribed.subscription);
    begun_ = true;
    // What was published since the subscription may be here already.
    SnapshotPtr present = std::exchange(latest_, nullptr);
    if (present == nullptr || present->revision < subscribed.present->revision) {
      present = std::move(subscribed.present);
    }
    if (present->revision != options_.after_revision) {
      Take(present);
    } else {
      newest_ = present->revision;
      heartbeat_due_ = !present->final();
      delivered_ = present->final();  // the caller has it
    }
    action = Next(now);
  }
  Perform(std::move(action));
}

void WatchStream::Fail(absl::Status status) { End(std::move(status)); }

void WatchStream::OnSnapshot(const SnapshotPtr& snapshot) {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    if (!begun_) {
      if (latest_ == nullptr || latest_->revision < snapshot->revision) latest_ = snapshot;
      return;
    }
    if (snapshot->revision <= newest_ || final_ != nullptr) return;
    Take(snapshot);
    action = Next(now);
  }
  Perform(std::move(action));
}

void WatchStream::Take(const SnapshotPtr& snapshot) {
  newest_ = snapshot->revision;
  heartbeat_due_ = false;
  if (!snapshot->final()) {
    latest_ = snapshot;
    return;
  }
  latest_ = nullptr;
  final_ = snapshot;
  load_wanted_ = options_.load_final && snapshot->state == v1::JOB_STATE_SUCCEEDED;
}

void WatchStream::OnFinalLoaded(absl::StatusOr<Frame> frame) {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    loading_ = false;
    if (finished_) return;
    if (frame.ok()) {
      final_frame_ = *std::move(frame);
    } else {
      final_ = nullptr;
      if (!end_.has_value()) end_ = frame.status();
    }
    action = Next(now);
  }
  Perform(std::move(action));
}

void WatchStream::OnWriteDone(bool ok) {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    writing_ = false;
    last_write_ = now;
    if (!ok) cancelled_ = true;
    if (std::exchange(writing_final_, false) && ok) delivered_ = true;
    action = Next(now);
  }
  Perform(std::move(action));
}

void WatchStream::OnCancel() {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    action = Next(now);
  }
  Perform(std::move(action));
}

void WatchStream::End(absl::Status status) {
  const MonoTime now = clock_.Now();
  Action action;
  {
    MutexLock lock(mutex_);
    if (!end_.has_value()) end_ = std::move(status);
    action = Next(now);
  }
  Perform(std::move(action));
}

std::optional<MonoTime> WatchStream::OnTick(MonoTime now) {
  std::optional<MonoTime> next;
  Action action;
  {
    MutexLock lock(mutex_);
    if (finished_) return std::nullopt;
    if (writing_) {
      if (!stuck_ && now - last_write_ >= options_.stuck) {
        stuck_ = true;
        cancelling_ = true;
        action.what = Do::kCancel;
      }
    } else {
      if (now >= ends_at_ && !end_.has_value()) end_ = Aged();
      if (begun_ && now - last_write_ >= options_.heartbeat) heartbeat_due_ = true;
      action = Next(now);
    }
    if (!finished_) next = std::max(NextTick(now), now + Duration(1));
  }
  Perform(std::move(action));
  return next;
}

MonoTime WatchStream::NextTick(MonoTime now) const {
  // A write that began just now has most likely ended long before the next heartbeat is due.
  const MonoTime due = std::min(ends_at_, last_write_ + options_.heartbeat);
  return writing_ && due <= now ? last_write_ + options_.stuck : due;
}

// The order of what may be done, in one place.
WatchStream::Action WatchStream::Next(MonoTime now) {
  Action action;
  if (finished_ || writing_ || cancelling_) return action;
  if (cancelled_) return Finish(errors::Cancelled());
  if (delivered_) return Finish(absl::OkStatus());
  if (final_ != nullptr && !load_wanted_ && !loading_) {
    action.what = Do::kWrite;
    action.snapshot = final_;
    action.frame = std::move(final_frame_);
    writing_final_ = true;
    return Write(now, std::move(action));
  }
  if (end_.has_value()) return Finish(*std::move(end_));
  if (load_wanted_) {
    load_wanted_ = false;
    loading_ = true;
    action.what = Do::kLoadFinal;
    action.snapshot = final_;
    return action;
  }
  if (latest_ != nullptr && begun_) {
    action.what = Do::kWrite;
    action.snapshot = std::exchange(latest_, nullptr);
    return Write(now, std::move(action));
  }
  // None while the final state is being made: it would name a revision the caller has not seen.
  if (heartbeat_due_ && !loading_) {
    action.what = Do::kHeartbeat;
    action.revision = newest_;
    return Write(now, std::move(action));
  }
  return action;
}

WatchStream::Action WatchStream::Write(MonoTime now, Action action) {
  writing_ = true;
  last_write_ = now;
  heartbeat_due_ = false;
  return action;
}

WatchStream::Action WatchStream::Finish(absl::Status status) {
  finished_ = true;
  Action action;
  action.what = Do::kFinish;
  action.status = std::move(status);
  action.subscription = std::move(subscription_);
  action.snapshot = std::move(latest_);
  return action;
}

void WatchStream::Perform(Action action) {
  const auto degraded = [this] { return options_.degraded && options_.degraded(); };
  switch (action.what) {
    case Do::kNothing:
      return;
    case Do::kWrite:
      return sink_.Write(action.frame ? std::move(action.frame)
                                      : JobFrame(action.snapshot, degraded()));
    case Do::kHeartbeat:
      return sink_.Write(HeartbeatFrame(action.revision, degraded()));
    case Do::kFinish:
      action.subscription.Reset();
      return sink_.Finish(std::move(action.status));
    case Do::kLoadFinal:
      return options_.load_final(std::move(action.snapshot),
                                 [self = shared_from_this()](absl::StatusOr<Frame> frame) {
                                   self->OnFinalLoaded(std::move(frame));
                                 });
    case Do::kCancel: {
      sink_.TryCancel();
      Action then;
      const MonoTime now = clock_.Now();
      {
        MutexLock lock(mutex_);
        cancelling_ = false;
        then = Next(now);
      }
      return Perform(std::move(then));
    }
  }
}

}  // namespace gateway::jobs
