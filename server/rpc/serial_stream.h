// A stream that does one thing at a time, for all streams but the watch: its subclass says what
// comes next, this class keeps the order. One write at most is outstanding, a write that does not
// end is cancelled, Finish comes once and last.
//
// Thread-safe. Next() is asked under the lock; what it names is done after it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/stream_wheel.h"
#include "jobs/watch_stream.h"

namespace gateway::rpc {

class SerialStream : public jobs::LiveStream, public std::enable_shared_from_this<SerialStream> {
 public:
  // `clock` must outlive the stream, `sink` must last until its Finish.
  SerialStream(const Clock& clock, jobs::WatchSink& sink) : clock_(clock), sink_(sink) {}

  void OnWriteDone(bool ok);
  void OnCancel();
  std::optional<MonoTime> OnTick(MonoTime now) override;
  void End(absl::Status status) override;

 protected:
  // At most one is set; none: wait for the next Advance.
  struct Step {
    jobs::Frame write;
    std::optional<absl::Status> finish;
    std::function<void()> run;
  };
  // Only while nothing is outstanding. `ending` is why the stream should end soon, if it should.
  virtual Step Next(const std::optional<absl::Status>& ending) REQUIRES(mutex_) = 0;

  // Something changed: goes on if it can.
  void Advance() EXCLUDES(mutex_);

  Mutex mutex_;

 private:
  const Clock& clock_;
  jobs::WatchSink& sink_;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
  MonoTime write_began_ GUARDED_BY(mutex_){};
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool cancelling_ GUARDED_BY(mutex_) = false;  // inside TryCancel: the sink must stay
  bool stuck_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::rpc
