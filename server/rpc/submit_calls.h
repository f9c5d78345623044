// The paid methods take a parsed request to a submission. The .proto says which there are and what
// they make; all go the same way.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "pictory/bindings.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

// The fingerprint of a request without its request_id (jobs/fingerprint.h).
std::string Fingerprint(std::string_view method, std::string_view account,
                        const google::protobuf::Message& request);

// What a call needs of the method it is for, looked up once.
struct SubmitMethod {
  explicit SubmitMethod(const google::protobuf::MethodDescriptor& submit);

  std::string path;  // /package.Service/Method
  std::string_view name;
  v1::JobKind kind;
  const google::protobuf::Message& prototype;  // of its requests
  pictory::SubmitFields fields;
};

// Thread-safe.
void Submit(const SubmitMethod& method, const Caller& caller,
            std::shared_ptr<google::protobuf::Message> request, const Reply& reply,
            const Admission& admission, const Domain& domain);

}  // namespace gateway::rpc
