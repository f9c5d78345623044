// WatchStream is one watch: it turns the states of one job into the stream to one caller, in
// whatever order states, finished writes, heartbeats, the caller's cancel and the server's drain
// arrive.
//
// While a write is outstanding only the newest state is kept, so a slow reader costs nothing. The
// final state is never replaced, is sent last and once, and then the stream ends OK.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/estimates.h"
#include "jobs/hub.h"
#include "jobs/snapshot.h"
#include "watch/stream.h"

namespace gateway::watch {

struct WatchOptions {
  std::int32_t after_revision = 0;
  // Makes the last message of a job that SUCCEEDED, on any thread; null: the BASIC view.
  std::function<void(jobs::SnapshotPtr, std::function<void(absl::StatusOr<jobs::Frame>)>)>
      load_final{};
  // Whether what is seen of this account's jobs may lag. Asked under the stream's lock, so it must
  // not call the stream; null: never.
  std::function<bool(const std::string& account)> degraded{};
  jobs::Estimates* estimates = nullptr;  // null: jobs are told without
  // Whether the store cannot be reached, for heartbeats. As above.
  std::function<bool()> store_away{};
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  // A watch that lasts longer ends with UNAVAILABLE, for the caller to go on over a new connection.
  Duration max_life = Duration::max();
};

class WatchStream final : public jobs::Watcher, public Stream {
 public:
  WatchStream(WatchOptions options, const Clock& clock, StreamSink& sink);

  // Begins the watch of a job that was found: `subscribed` has the subscription and the job as it
  // is now. Called once; if there is nothing to watch, End is called instead.
  void Begin(jobs::Hub::Subscribed subscribed);

  void OnSnapshot(const jobs::SnapshotPtr& snapshot) override;
  void OnGone() override;

 private:
  Step Next(const std::optional<absl::Status>& ending) override REQUIRES(mutex_);
  void OnWritten() override REQUIRES(mutex_);
  void OnQuietTick(MonoTime now) override REQUIRES(mutex_);
  MonoTime NextTick(MonoTime now) const override REQUIRES(mutex_);
  Duration FirstWait() const override { return options_.heartbeat; }
  absl::Status Outlived() const override;
  void OnFinish() override;

  void Take(const jobs::SnapshotPtr& snapshot) REQUIRES(mutex_);
  jobs::Frame Heartbeat() REQUIRES(mutex_);
  Step LoadFinal() REQUIRES(mutex_);
  void OnFinalLoaded(absl::StatusOr<jobs::Frame> frame);
  bool degraded() const REQUIRES(mutex_) {
    return begun_ && options_.degraded && options_.degraded(account_);
  }
  bool store_away() const { return options_.store_away && options_.store_away(); }

  const WatchOptions options_;

  jobs::Hub::Subscription subscription_ GUARDED_BY(mutex_);
  jobs::SnapshotPtr latest_ GUARDED_BY(mutex_);  // to be sent; never the final one
  jobs::SnapshotPtr final_ GUARDED_BY(mutex_);   // to be sent last
  jobs::Frame final_frame_ GUARDED_BY(mutex_);   // of the FULL view, once loaded
  jobs::SnapshotPtr told_ GUARDED_BY(mutex_);    // the last that was sent; never the final one
  std::int32_t newest_ GUARDED_BY(mutex_) = 0;   // revision taken last
  bool begun_ GUARDED_BY(mutex_) = false;
  std::string account_ GUARDED_BY(mutex_);  // of the job, once begun
  bool writing_final_ GUARDED_BY(mutex_) = false;
  bool heartbeat_due_ GUARDED_BY(mutex_) = false;
  bool load_wanted_ GUARDED_BY(mutex_) = false;
  bool loading_ GUARDED_BY(mutex_) = false;
  bool delivered_ GUARDED_BY(mutex_) = false;  // the final state went out
};

}  // namespace gateway::watch
