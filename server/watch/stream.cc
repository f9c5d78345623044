#include "watch/stream.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace gateway::watch {
namespace {

// When a stream that begins now has lasted so long; Duration::max(): never.
MonoTime EndOf(MonoTime now, Duration life) {
  return life >= MonoTime::max() - now ? MonoTime::max() : now + life;
}

}  // namespace

Stream::Stream(const Clock& clock, StreamSink& sink, Duration stuck, Duration max_life)
    : clock_(clock),
      stuck_after_(stuck),
      sink_(sink),
      ends_at_(EndOf(clock.Now(), max_life)),
      last_write_(clock.Now()) {}

MonoTime Stream::FirstTick() const { return std::min(ends_at_, clock_.Now() + FirstWait()); }

void Stream::OnWriteDone(bool ok) {
  const MonoTime now = clock_.Now();
  {
    MutexLock lock(mutex_);
    writing_ = false;
    last_write_ = now;
    if (ok) {
      OnWritten();
    } else {
      cancelled_ = true;
    }
  }
  Advance();
}

void Stream::OnCancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  Advance();
}

void Stream::End(absl::Status status) {
  {
    MutexLock lock(mutex_);
    AskToEnd(std::move(status));
  }
  Advance();
}

void Stream::AskToEnd(absl::Status status) {
  if (!ending_.has_value()) ending_ = std::move(status);
}

std::optional<MonoTime> Stream::OnTick(MonoTime now) {
  bool cancel = false;
  {
    MutexLock lock(mutex_);
    if (finished_) return std::nullopt;
    // Also of a reader who always has something to take.
    if (now >= ends_at_) AskToEnd(Outlived());
    if (!writing_) {
      OnQuietTick(now);
    } else if (!stuck_ && now - last_write_ >= stuck_after_) {
      stuck_ = true;
      cancelling_ = true;
      cancel = true;
    }
  }
  if (cancel) {
    sink_.TryCancel();
    MutexLock lock(mutex_);
    cancelling_ = false;
  }
  Advance();
  MutexLock lock(mutex_);
  if (finished_) return std::nullopt;
  MonoTime next = NextTick(now);
  if (writing_ && next <= now) next = last_write_ + stuck_after_;
  if (now < ends_at_) next = std::min(next, ends_at_);
  return std::max(next, now + Duration(1));
}

void Stream::Advance() {
  bool again = true;
  while (again) {
    const MonoTime now = clock_.Now();
    Step step;
    {
      MutexLock lock(mutex_);
      if (running_) {
        again_ = true;
        return;
      }
      if (finished_ || writing_ || cancelling_) return;
      if (cancelled_) {
        step.finish = errors::Cancelled();
      } else {
        step = Next(ending_);
      }
      finished_ = step.finish.has_value();
      running_ = static_cast<bool>(step.run);
      again_ = false;
      if (step.write != nullptr) {
        writing_ = true;
        last_write_ = now;
      }
    }
    if (step.finish.has_value()) {
      OnFinish();
      return sink_.Finish(*std::move(step.finish));
    }
    if (step.write != nullptr) return sink_.Write(std::move(step.write));
    if (!step.run) return;
    step.run();
    MutexLock lock(mutex_);
    running_ = false;
    again = again_;
  }
}

absl::Status ComeBack(const char* why) {
  const absl::Status draining = errors::Draining(Duration::zero());
  absl::Status status(draining.code(), why);
  draining.ForEachPayload([&status](absl::string_view type_url, const absl::Cord& payload) {
    status.SetPayload(type_url, payload);
  });
  return status;
}

absl::Status Stream::Outlived() const {
  return ComeBack("This stream is as old as one may get; call again");
}

}  // namespace gateway::watch
