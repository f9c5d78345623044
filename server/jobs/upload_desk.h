// UploadDesk asks Pictory for places to upload files to, within an account's budget.
//
// An upload makes no job and stores nothing: if a place is lost, the caller asks for another. The
// class is thread-safe and must outlive its calls in flight.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/owner.h"
#include "jobs/upstreams.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

class UploadDesk {
 public:
  using Request = std::shared_ptr<const ::pictory::jobs::v1::CreateUploadRequest>;
  using Done = std::function<void(absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse>)>;

  UploadDesk(Upstreams& upstreams, const Clock& clock) : upstreams_(upstreams), clock_(clock) {}

  // Asks for one place; `request` has been validated. It waits as long for its turn as a submit
  // may, and in the same line.
  void Create(const Owner& owner, Request request, Done done);

 private:
  Upstreams& upstreams_;
  const Clock& clock_;
};

}  // namespace gateway::jobs
