// UpdatePreview is the method that changes a finished preview.
#pragma once

#include <memory>

#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void UpdatePreview(const Caller& caller, std::shared_ptr<v1::UpdatePreviewRequest> request,
                   const Reply& reply, const Admission& admission, const Domain& domain);

}  // namespace gateway::rpc
