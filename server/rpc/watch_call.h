// WatchJob sends a job's states as they come, until the job has ended.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "grpcpp/server_context.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "watch/watch_stream.h"

namespace gateway::rpc {

struct WatchLimits {
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  // How long a watch may last. It ends before the library would end an old connection's streams
  // without a word.
  Duration max_life = std::chrono::minutes(30);
};

// How long a caller's watch may last.
Duration LifeOf(const WatchLimits& limits, const Caller& caller, const Domain& domain);

// What is wrong with a request; OK if nothing.
absl::Status CheckWatch(const v1::WatchJobRequest& request);

// `domain` must outlive the stream.
std::shared_ptr<watch::WatchStream> MakeWatch(const WatchLimits& limits, const Caller& caller,
                                              const v1::WatchJobRequest& request,
                                              watch::StreamSink& sink, const Domain& domain);

// Makes the stream a watcher of the job wherever that is found: in memory inside the call, in the
// store or at Pictory later.
void BeginWatch(const std::shared_ptr<watch::WatchStream>& stream, const Caller& caller,
                const v1::WatchJobRequest& request, const Domain& domain);

}  // namespace gateway::rpc
