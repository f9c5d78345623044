#include "jobs/preview_editor.h"

#include <string>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "pictory/preview_update.h"

namespace gateway::jobs {
namespace {

absl::Status WhyNot(const Snapshot& job) {
  // Of a job that was adopted its result shows the kind.
  const bool open = job.kind == v1::JOB_KIND_UNSPECIFIED && !job.final();
  if (job.kind != v1::JOB_KIND_PREVIEW && !open) {
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
  const UpstreamPtr upstream = upstreams_.Of(preview->account);
  upstream->TakeTurn(
      Purpose::kChange, preview->tenant, clock_.Now() + limits::kSubmitBudgetMaxWait,
      [upstream, call = *std::move(call),
       done = std::move(done)](absl::StatusOr<Upstream::Turn> turn) {
        if (!turn.ok()) return done(turn.status());
        if (call.IsCancelled()) return done(errors::Cancelled());
        upstream->Ask(*std::move(turn), call,
                      [done](const absl::StatusOr<std::string>& answer) { done(answer.status()); });
      });
}

}  // namespace gateway::jobs
