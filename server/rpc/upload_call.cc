#include "rpc/upload_call.h"

#include <utility>
#include <vector>

#include "base/errors.h"
#include "rpc/pressure.h"

namespace gateway::rpc {

void CreateUpload(const Caller& caller, std::shared_ptr<v1::CreateUploadRequest> request,
                  const Reply& reply, const Admission& admission, const Domain& domain) {
  if (admission.draining()) return reply(admission.DrainStatus());
  if (absl::Status shed = UnderPressure(domain, Shed::kSubmits); !shed.ok()) {
    return reply(std::move(shed));
  }
  std::vector<errors::Violation> violations = domain.backend.Validate(caller.owner, *request);
  if (!violations.empty()) return reply(errors::Invalid(std::move(violations)));
  domain.backend.CreateUpload(caller.owner, std::move(request),
                              [reply](absl::StatusOr<v1::CreateUploadResponse> response) {
                                if (!response.ok()) return reply(response.status());
                                reply(*response);
                              });
}

}  // namespace gateway::rpc
