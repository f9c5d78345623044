// Stream is a stream to one caller that does one thing at a time: its subclass says what comes
// next, and this class keeps the order. At most one write is outstanding, a write that does not end
// is cancelled, and Finish comes once and last. Stream knows nothing of gRPC: a StreamSink carries
// it.
//
// Stream is thread-safe. It decides under the lock what to do, and does it after releasing the
// lock. From the decision to write until OnWriteDone nothing else is decided, so a sink never sees
// two operations at once.
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

// StreamSink is the caller's end of a stream. It is called from any thread, under no lock.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Writes a frame; the write ends in one OnWriteDone.
  virtual void Write(jobs::Frame frame) = 0;
  // Ends the stream. Called once; nothing is called after it, and the sink may be gone when it
  // returns.
  virtual void Finish(absl::Status status) = 0;
  // Called when the outstanding write does not end by itself: makes it fail, and OnCancel come.
  virtual void TryCancel() = 0;
};

class Stream : public LiveStream, public std::enable_shared_from_this<Stream> {
 public:
  // `clock` must outlive the stream, `sink` must last until its Finish. A write that takes longer
  // than `stuck` is cancelled; a stream that is older than `max_life` ends as Outlived says.
  Stream(const Clock& clock, StreamSink& sink, Duration stuck = limits::kWriteStuckAfter,
         Duration max_life = Duration::max());

  // Called by the sink. OnCancel may come at any time.
  void OnWriteDone(bool ok);
  void OnCancel();

  // When the stream is to be woken first, for whoever puts it on the wheel.
  MonoTime FirstTick() const;
  std::optional<MonoTime> OnTick(MonoTime now) final;
  void End(absl::Status status) final;

 protected:
  // What a stream does next. At most one field is set; if none is, the stream waits for the next
  // Advance.
  struct Step {
    jobs::Frame write;
    std::optional<absl::Status> finish;
    // Begins something that calls Advance once it has ended, which may be inside the call. It keeps
    // the stream alive.
    std::function<void()> run;
  };
  // Says what comes next. Asked only while nothing is outstanding. `ending` is why the stream
  // should end soon, if it should.
  virtual Step Next(const std::optional<absl::Status>& ending) REQUIRES(mutex_) = 0;
  // Called when the outstanding write has ended, unless it failed.
  virtual void OnWritten() REQUIRES(mutex_) {}
  // Called when the wheel comes by while nothing is outstanding; Next is asked after it.
  virtual void OnQuietTick(MonoTime) REQUIRES(mutex_) {}
  // When the wheel is to come by next, unless the stream ends or its write is stuck before. A time
  // that is not after `now` means as soon as possible.
  virtual MonoTime NextTick(MonoTime now) const REQUIRES(mutex_) {
    return now + limits::kHeartbeatInterval;
  }
  // How long after its beginning the wheel comes by first.
  virtual Duration FirstWait() const { return limits::kHeartbeatInterval; }
  // With what a stream ends that has reached `max_life`.
  virtual absl::Status Outlived() const;
  // Called right before the sink's Finish, under no lock.
  virtual void OnFinish() {}

  // Goes on if it can. To be called when something has changed.
  void Advance() EXCLUDES(mutex_);
  // Asks the stream to end, as End does, unless it was asked already.
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
  const MonoTime ends_at_;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
  MonoTime last_write_ GUARDED_BY(mutex_);
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool cancelling_ GUARDED_BY(mutex_) = false;  // inside TryCancel: the sink must stay
  bool stuck_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  bool running_ GUARDED_BY(mutex_) = false;  // a step's `run`; who comes meanwhile sets `again_`
  bool again_ GUARDED_BY(mutex_) = false;
};

// A status with the details of a drain, because for programs it is the same: they connect again and
// go on there.
absl::Status ComeBack(const char* why);

}  // namespace gateway::watch
