#include "rpc/preview_call.h"

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "rpc/pressure.h"

namespace gateway::rpc {

void UpdatePreview(const Caller& caller, std::shared_ptr<v1::UpdatePreviewRequest> request,
                   const Reply& reply, const Admission& admission, const Domain& domain) {
  if (admission.draining()) return reply(admission.DrainStatus());
  if (absl::Status shed = UnderPressure(domain, Shed::kSubmits); !shed.ok()) {
    return reply(std::move(shed));
  }
  if (absl::Status named = CheckJobName(request->job_id()); !named.ok()) {
    return reply(std::move(named));
  }
  std::vector<errors::Violation> violations = domain.backend.Validate(caller.owner, *request);
  if (!violations.empty()) return reply(errors::Invalid(std::move(violations)));
  if (reply.cancelled()->load()) return;
  absl::StatusOr<std::shared_ptr<void>> held = HoldLarge(domain, request->ByteSizeLong());
  if (!held.ok()) return reply(held.status());
  const std::string name = request->job_id();
  domain.backend.Load(
      caller.owner, name,
      [caller, request = std::move(request), held = *std::move(held), reply,
       &domain](absl::StatusOr<jobs::SnapshotPtr> preview) {
        if (!preview.ok()) return reply(preview.status());
        domain.backend.Name((*preview)->key());
        if (absl::Status key = CheckKeyOf(caller, (*preview)->job_id(), (*preview)->account);
            !key.ok()) {
          return reply(std::move(key));
        }
        domain.backend.UpdatePreview(
            *preview, request, reply.cancelled(),
            [preview = *preview, held, reply, &domain](absl::Status status) {
              if (!status.ok()) return reply(std::move(status));
              reply(jobs::JobFrame(preview, domain.backend.IsDegraded(preview->account)));
            });
      });
}

}  // namespace gateway::rpc
