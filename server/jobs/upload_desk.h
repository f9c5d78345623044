// Asks Pictory for places to upload to, within the account's budget.
//
// No job and nothing stored: a place that is lost is asked for again. Thread-safe; must outlive its
// calls in flight.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/upstream.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

class UploadDesk {
 public:
  using Request = std::shared_ptr<const ::pictory::jobs::v1::CreateUploadRequest>;
  using Done = std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)>;

  UploadDesk(Upstream& upstream, const Clock& clock, Timers& timers)
      : upstream_(upstream), clock_(clock), timers_(timers) {}

  // `request` has been validated. Waits as long for its turn as a submit may, and in the same line.
  void Create(Request request, Done done);

 private:
  void AwaitTurn(Request request, MonoTime give_up, Done done);

  Upstream& upstream_;
  const Clock& clock_;
  Timers& timers_;
};

}  // namespace gateway::jobs
