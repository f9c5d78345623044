#include "jobs/preview_editor.h"

#include <string>
#include <utility>

#include "base/errors.h"
#include "jobs/job.h"
#include "pictory/preview_update.h"

namespace gateway::jobs {
namespace {

absl::Status WhyNot(const Snapshot& job) {
  if (!job.may_be(v1::JOB_KIND_PREVIEW)) {
    return errors::JobNotUsable(job.job_id(),
                                "is a " + KindName(job.kind) + "; only a PREVIEW can be changed");
  }
  if (job.state == v1::JOB_STATE_SUCCEEDED) return absl::OkStatus();
  if (!job.final()) return errors::JobNotFinished(job.job_id(), StateName(job.state));
  return errors::JobNotUsable(job.job_id(), "has ended as " + StateName(job.state) +
                                                " and has nothing that can be changed");
}

}  // namespace

void PreviewEditor::Update(const SnapshotPtr& preview, const Request& request, Cancelled cancelled,
                           Done done) {
  if (absl::Status why = WhyNot(*preview); !why.ok()) return done(std::move(why));
  absl::StatusOr<pictory::FreeCall> call =
      pictory::PreviewUpdate(*request, preview->pictory_job_id());
  if (!call.ok()) return done(call.status());
  call->cancelled = std::move(cancelled);
  desk_.Ask({.tenant = preview->tenant, .account = preview->account}, Purpose::kChange,
            *std::move(call),
            [done = std::move(done)](const absl::StatusOr<AccountDesk::Answer>& answer) {
              done(answer.status());
            });
}

}  // namespace gateway::jobs
