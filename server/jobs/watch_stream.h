// One watch: from the job's states to one caller's stream, whatever the order in which states,
// finished writes, heartbeats, the caller's cancel and the server's drain arrive.
//
// One write is outstanding at most; while it is, only the newest state is kept, so a slow reader
// costs nothing. The final state is never replaced, is sent last and once, and then the stream ends
// OK. Knows nothing of gRPC: what carries it is a WatchSink.
//
// Thread-safe. What to do is decided under the lock and done after it. From the decision to write
// until OnWriteDone nothing else is decided, so a sink never sees two operations at once, and
// Finish is the last thing it sees.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/hub.h"
#include "jobs/snapshot.h"
#include "jobs/stream_wheel.h"

namespace gateway::jobs {

// The caller's end. Calls come from any thread, under no lock.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // Ends in one OnWriteDone.
  virtual void Write(Frame frame) = 0;
  // Once; nothing is called after it, and the sink may be gone when it returns.
  virtual void Finish(absl::Status status) = 0;
  // The write outstanding will not end by itself: makes it fail, and OnCancel come.
  virtual void TryCancel() = 0;
};

struct WatchOptions {
  std::int32_t after_revision = 0;
  // Makes the last message of a job that SUCCEEDED, on any thread; null: the BASIC view.
  std::function<void(SnapshotPtr, std::function<void(absl::StatusOr<Frame>)>)> load_final{};
  std::function<bool()> degraded{};  // null: never
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  // A watch that lasts longer ends with UNAVAILABLE, for the caller to go on over a new connection.
  Duration max_life = Duration::max();
};

class WatchStream final : public Watcher,
                          public LiveStream,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  // `clock` must outlive the stream, `sink` must last until its Finish.
  WatchStream(WatchOptions options, const Clock& clock, WatchSink& sink);

  // The job was found: subscribed, and as it is now. Once, or Fail.
  void Begin(Hub::Subscribed subscribed);
  // There is nothing to watch.
  void Fail(absl::Status status);

  // When to put it on the wheel.
  MonoTime FirstTick() const;

  // From the sink. OnCancel may come at any time, even before Begin.
  void OnWriteDone(bool ok);
  void OnCancel();

  void OnSnapshot(const SnapshotPtr& snapshot) override;
  std::optional<MonoTime> OnTick(MonoTime now) override;
  void End(absl::Status status) override;

 private:
  enum class Do { kNothing, kWrite, kHeartbeat, kFinish, kCancel, kLoadFinal };
  struct Action {
    Do what = Do::kNothing;
    SnapshotPtr snapshot;
    Frame frame;  // if made already
    std::int32_t revision = 0;
    absl::Status status;
    Hub::Subscription subscription;  // to be given back, outside the lock
  };

  void Take(const SnapshotPtr& snapshot) REQUIRES(mutex_);
  Action Next(MonoTime now) REQUIRES(mutex_);
  Action Finish(absl::Status status) REQUIRES(mutex_);
  Action Write(MonoTime now, Action action) REQUIRES(mutex_);
  MonoTime NextTick(MonoTime now) const REQUIRES(mutex_);
  void Perform(Action action) EXCLUDES(mutex_);
  void OnFinalLoaded(absl::StatusOr<Frame> frame);

  const WatchOptions options_;
  const Clock& clock_;
  const MonoTime ends_at_;
  WatchSink& sink_;

  Mutex mutex_;
  Hub::Subscription subscription_ GUARDED_BY(mutex_);
  SnapshotPtr latest_ GUARDED_BY(mutex_);               // to be sent; never the final one
  SnapshotPtr final_ GUARDED_BY(mutex_);                // to be sent last
  Frame final_frame_ GUARDED_BY(mutex_);                // of the FULL view, once loaded
  std::optional<absl::Status> end_ GUARDED_BY(mutex_);  // asked to end early
  std::int32_t newest_ GUARDED_BY(mutex_) = 0;          // revision taken last
  MonoTime last_write_ GUARDED_BY(mutex_);              // began or, if none is outstanding, ended
  bool begun_ GUARDED_BY(mutex_) = false;
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool writing_final_ GUARDED_BY(mutex_) = false;
  bool heartbeat_due_ GUARDED_BY(mutex_) = false;
  bool load_wanted_ GUARDED_BY(mutex_) = false;
  bool loading_ GUARDED_BY(mutex_) = false;
  bool cancelling_ GUARDED_BY(mutex_) = false;  // inside TryCancel: the sink must stay
  bool stuck_ GUARDED_BY(mutex_) = false;
  bool delivered_ GUARDED_BY(mutex_) = false;  // the final state went out
  bool finished_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
