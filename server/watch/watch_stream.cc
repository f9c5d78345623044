#include "watch/watch_stream.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/errors.h"

namespace gateway::watch {

WatchStream::WatchStream(WatchOptions options, const Clock& clock, StreamSink& sink)
    : Stream(clock, sink, options.stuck, options.max_life), options_(std::move(options)) {}

void WatchStream::Begin(jobs::Hub::Subscribed subscribed) {
  {
    MutexLock lock(mutex_);
    if (finished()) return;  // `subscribed` goes after the lock
    subscription_ = std::move(subscribed.subscription);
    begun_ = true;
    // What was published since the subscription may be here already.
    jobs::SnapshotPtr present = std::exchange(latest_, nullptr);
    if (present == nullptr || present->revision < subscribed.present->revision) {
      present = std::move(subscribed.present);
    }
    account_ = present->account;
    if (present->revision != options_.after_revision) {
      Take(present);
    } else {
      newest_ = present->revision;
      if (!present->final()) told_ = present;
      heartbeat_due_ = !present->final();
      delivered_ = present->final();  // the caller has it
    }
  }
  Advance();
}

void WatchStream::OnSnapshot(const jobs::SnapshotPtr& snapshot) {
  {
    MutexLock lock(mutex_);
    if (finished()) return;
    if (!begun_) {
      if (latest_ == nullptr || latest_->revision < snapshot->revision) latest_ = snapshot;
      return;
    }
    if (snapshot->revision <= newest_ || final_ != nullptr) return;
    Take(snapshot);
  }
  Advance();
}

void WatchStream::OnGone() {
  {
    MutexLock lock(mutex_);
    if (final_ != nullptr) return;  // it is sent still, and then the stream ends
  }
  End(ComeBack(
      "The job goes on under another name, to which this one leads; connect again and go on "
      "from its last revision"));
}

void WatchStream::Take(const jobs::SnapshotPtr& snapshot) {
  newest_ = snapshot->revision;
  heartbeat_due_ = false;
  if (!snapshot->final()) {
    latest_ = snapshot;
    return;
  }
  latest_ = nullptr;
  final_ = snapshot;
  told_ = nullptr;
  load_wanted_ = options_.load_final && snapshot->state == jobs::v1::JOB_STATE_SUCCEEDED;
}

// This is the one place that orders what a watch may do next.
Stream::Step WatchStream::Next(const std::optional<absl::Status>& ending) {
  if (delivered_) return {.finish = absl::OkStatus()};
  if (final_ != nullptr && !load_wanted_ && !loading_) {
    writing_final_ = true;
    return {.write = final_frame_ ? std::move(final_frame_) : JobFrame(final_, degraded())};
  }
  if (ending.has_value()) return {.finish = *ending};
  if (load_wanted_) return LoadFinal();
  if (latest_ != nullptr && begun_) {
    heartbeat_due_ = false;
    told_ = std::exchange(latest_, nullptr);
    return {.write = jobs::FrameOf(options_.estimates, told_, degraded())};
  }
  // No heartbeat is sent while the final state is being made: it would name a revision that the
  // caller has not seen.
  if (heartbeat_due_ && !loading_) {
    heartbeat_due_ = false;
    return {.write = Heartbeat()};
  }
  return {};
}

// An estimate changes with time, so that of a job that does not change goes with the heartbeats.
jobs::Frame WatchStream::Heartbeat() {
  std::optional<jobs::v1::JobEstimate> estimate;
  if (options_.estimates != nullptr && told_ != nullptr) {
    estimate = options_.estimates->Of(*told_, degraded());
  }
  return jobs::HeartbeatFrame(newest_, degraded(), store_away(),
                              estimate.has_value() ? &*estimate : nullptr);
}

Stream::Step WatchStream::LoadFinal() {
  load_wanted_ = false;
  loading_ = true;
  return {.run = [this, self = shared_from_this(), snapshot = final_] {
    options_.load_final(snapshot, [this, self](absl::StatusOr<jobs::Frame> frame) {
      OnFinalLoaded(std::move(frame));
    });
  }};
}

void WatchStream::OnFinalLoaded(absl::StatusOr<jobs::Frame> frame) {
  {
    MutexLock lock(mutex_);
    loading_ = false;
    if (finished()) return;
    if (frame.ok()) {
      final_frame_ = *std::move(frame);
    } else {
      final_ = nullptr;
      AskToEnd(frame.status());
    }
  }
  Advance();
}

void WatchStream::OnWritten() {
  if (writing_final_) delivered_ = true;
}

void WatchStream::OnQuietTick(MonoTime now) {
  if (begun_ && now - last_write() >= options_.heartbeat) heartbeat_due_ = true;
}

MonoTime WatchStream::NextTick(MonoTime) const { return last_write() + options_.heartbeat; }

absl::Status WatchStream::Outlived() const {
  return ComeBack(
      "This watch is as old as one may get; connect again and go on from its last revision");
}

void WatchStream::OnFinish() {
  jobs::Hub::Subscription over;
  jobs::SnapshotPtr unsent, told;
  MutexLock lock(mutex_);
  over = std::move(subscription_);
  unsent = std::move(latest_);
  told = std::move(told_);
}

}  // namespace gateway::watch
