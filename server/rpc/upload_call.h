// CreateUpload is the method that gives a place to upload a file to.
#pragma once

#include <memory>

#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

void CreateUpload(const Caller& caller, std::shared_ptr<v1::CreateUploadRequest> request,
                  const Reply& reply, const Admission& admission, const Domain& domain);

}  // namespace gateway::rpc
