// A stream to one caller that does one thing at a time: its subclass says what comes next, and this
// class keeps the order. One write at most is outstanding, a write that does not end is cancelled,
// and Finish comes once and last. It knows nothing of gRPC: what carries it is a StreamSink.
//
// Thread-safe. What to do is decided under the lock and done after it. From the decision to write
// until OnWriteDone nothing else is decided, so a sink never sees two operations at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/snapshot.h"
#include "watch/stream_wheel.h"

namespace gateway::watch {

// The caller's end. Calls come from any thread, under no lock.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Ends in one OnWriteDone.
  virtual void Write(jobs::Frame frame) = 0;
  // Once; nothing is called after it, and the sink may be gone when it returns.
  virtual void Finish(absl::Status status) = 0;
  // The write outstanding will not end by itself: makes it fail, and OnCancel come.
  virtual void TryCancel() = 0;
};

class Stream : public LiveStream, public std::enable_shared_from_this<Stream> {
 public:
  // `clock` must outlive the stream, `sink` must last until its Finish. A write that takes longer
  // than `stuck` is cancelled.
  Stream(const Clock& clock, StreamSink& sink, Duration stuck = limits::kWriteStuckAfter);

  // From the sink. OnCancel may come at any time.
  void OnWriteDone(bool ok);
  void OnCancel();

  // When to put it on the wheel.
  virtual MonoTime FirstTick() const { return clock_.Now() + limits::kHeartbeatInterval; }
  std::optional<MonoTime> OnTick(MonoTime now) final;
  void End(absl::Status status) final;

 protected:
  // At most one is set; none: wait for the next Advance.
  struct Step {
    jobs::Frame write;
    std::optional<absl::Status> finish;
    std::function<void()> run;
  };
  // What comes next. Only while nothing is outstanding. `ending` is why the stream should end soon,
  // if it should.
  virtual Step Next(const std::optional<absl::Status>& ending) REQUIRES(mutex_) = 0;
  // The write outstanding has ended; not said of one that failed.
  virtual void OnWritten() REQUIRES(mutex_) {}
  // The wheel has come by while nothing is outstanding; Next is asked after it.
  virtual void OnQuietTick(MonoTime) REQUIRES(mutex_) {}
  // When the wheel is to come by next. `now` is not later than that.
  virtual MonoTime NextTick(MonoTime now) const REQUIRES(mutex_) {
    return now + limits::kHeartbeatInterval;
  }
  // Right before the sink's Finish, under no lock.
  virtual void OnFinish() {}

  // Something changed: goes on if it can.
  void Advance() EXCLUDES(mutex_);
  // To be asked to end, as by End, unless that was asked for already.
  void AskToEnd(absl::Status status) REQUIRES(mutex_);
  bool finished() const REQUIRES(mutex_) { return finished_; }
  bool writing() const REQUIRES(mutex_) { return writing_; }
  // When the last write began or, if none is outstanding, ended.
  MonoTime last_write() const REQUIRES(mutex_) { return last_write_; }

  const Clock& clock_;
  const Duration stuck_after_;
  Mutex mutex_;

 private:
  StreamSink& sink_;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
  MonoTime last_write_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool cancelling_ GUARDED_BY(mutex_) = false;  // inside TryCancel: the sink must stay
  bool stuck_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::watch
