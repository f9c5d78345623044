// A Watch brings a job's states live, over broken connections and restarts of the gateway.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs {

class Core;

struct WatchOptions {
  JobView view = JobView::JOB_VIEW_BASIC;
  // The revision seen last, to go on from there; 0 begins with the present state.
  int after_revision = 0;
  // How long to wait in all for a final state; unset waits as long as it takes.
  std::optional<std::chrono::milliseconds> timeout;
  // A stream without a word for so long is given up and opened anew. The gateway sends a heartbeat
  // every 25 s.
  std::chrono::milliseconds silence = std::chrono::seconds(75);
  // How long it looks for a gateway that has gone, from the first failure on: until its first word,
  // and later.
  std::chrono::milliseconds connect_patience = std::chrono::seconds(10);
  std::chrono::milliseconds patience = std::chrono::minutes(10);
  // Ends the watch with CANCELLED. The job goes on.
  std::stop_token stop;
  // Called by Next() before it waits to connect again.
  std::function<void(const absl::Status& why, std::chrono::nanoseconds wait)> on_reconnect;
  // Called by Next() for each heartbeat: nothing new, and whether Pictory can be asked at present.
  std::function<void(bool upstream_degraded)> on_heartbeat;
  // Called by Next() before that, if the heartbeat brings the job's estimate as it is now.
  std::function<void(const JobEstimate& estimate)> on_estimate;
};

// A Watch reads states one by one. Reading slowly loses intermediate states, never the final one.
// One thread at a time may use a Watch; Cancel() may come from any other. A Watch may outlive its
// Client.
class Watch {
 public:
  Watch(std::shared_ptr<Core> core, std::string job_id, WatchOptions options);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // Blocks for the next state; unset once the watch has ended: status() says why. Revisions rise,
  // unless the gateway itself went back to an older one (a store restored from a backup).
  std::optional<Job> Next();

  // OK after a final state, or if nothing came after a final `after_revision`; CANCELLED by `stop`
  // or Cancel(); DEADLINE_EXCEEDED by `timeout`; else what the gateway refused, or what kept it
  // away once patience ran out (UNAVAILABLE; INTERNAL or UNKNOWN if a proxy put it so). Reconnects
  // on UNAVAILABLE, on RESOURCE_EXHAUSTED with RetryInfo, and where the connection broke or a proxy
  // cut the stream (BrokenConnection in status.h).
  const absl::Status& status() const;

  // The revision of the last state; `after_revision` before the first.
  int revision() const;

  void Cancel();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace pictory_jobs
