// PreviewEditor changes finished previews at Pictory, within an account's budget.
//
// Nothing of the job here changes. It has ended, and its watchers were told how; and Pictory says
// of a changed preview only that its page shows the changes and that a render has them, not that
// the job tells of them when it is asked again. The class is thread-safe and must outlive its calls
// in flight.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "jobs/account_desk.h"
#include "jobs/snapshot.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

class PreviewEditor {
 public:
  using Request = std::shared_ptr<const v1::UpdatePreviewRequest>;
  using Done = std::function<void(absl::Status)>;

  explicit PreviewEditor(AccountDesk& desk) : desk_(desk) {}

  // Sends the elements of `request`, which has been validated, to the account that made the job.
  // FAILED_PRECONDITION, with nothing sent, if the job is no preview that has SUCCEEDED. It waits
  // as long for its turn as a submit may, and in the same line; once `cancelled` is set, nothing is
  // sent.
  using Cancelled = std::shared_ptr<const std::atomic<bool>>;
  void Update(const SnapshotPtr& preview, const Request& request, Cancelled cancelled, Done done);

 private:
  AccountDesk& desk_;
};

}  // namespace gateway::jobs
