// A JobsWatch brings all jobs that fit a filter, and each change of them, over broken connections
// and restarts of the gateway.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory_jobs/watch.h"

namespace pictory_jobs {

// What to watch (pictory_jobs.proto): states, kinds, labels, ids; and from where on.
using WatchJobsRequest = ::pictory::jobs::v1::WatchJobsRequest;
// What happened: a job, one that has left the filter, one that is gone, or a list that begins or is
// complete. No heartbeats.
using JobsEvent = ::pictory::jobs::v1::WatchJobsResponse;

// A JobsWatch reads events one by one; reading slowly loses states in between, never a job's
// newest. It ends only by what its options say, or by an error. One thread at a time may use it;
// Cancel() may come from any other. It may outlive its Client.
class JobsWatch {
 public:
  // Of the options `view` and `after_revision` do not count: the request has its own.
  JobsWatch(std::shared_ptr<Core> core, WatchJobsRequest request, WatchOptions options);
  JobsWatch(JobsWatch&&) noexcept;
  JobsWatch& operator=(JobsWatch&&) noexcept;
  ~JobsWatch();

  // Blocks for the next event; unset once the watch has ended: status() says why. Where it went on
  // after a break, jobs may come again unchanged.
  std::optional<JobsEvent> Next();

  // As Watch::status(); never OK.
  const absl::Status& status() const;

  // Where another JobsWatch goes on, in another process too: `resume_token` of its request.
  const std::string& resume_token() const;

  void Cancel();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace pictory_jobs
