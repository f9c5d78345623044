// The four paid methods, from a parsed request to a submission.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/unary_call.h"

namespace gateway::rpc {

// Of a request without its request_id (jobs/fingerprint.h).
std::string Fingerprint(std::string_view method, std::string_view account,
                        const google::protobuf::Message& request);

// `Request` is one of the four submit requests. Thread-safe.
template <class Request>
void Submit(std::string_view method, v1::JobKind kind, const Caller& caller,
            std::shared_ptr<Request> request, const Reply& reply, const Admission& admission,
            const Domain& domain);

extern template void Submit(std::string_view, v1::JobKind, const Caller&,
                            std::shared_ptr<v1::CreatePreviewRequest>, const Reply&,
                            const Admission&, const Domain&);
extern template void Submit(std::string_view, v1::JobKind, const Caller&,
                            std::shared_ptr<v1::RenderRequest>, const Reply&, const Admission&,
                            const Domain&);
extern template void Submit(std::string_view, v1::JobKind, const Caller&,
                            std::shared_ptr<v1::TranscribeRequest>, const Reply&, const Admission&,
                            const Domain&);
extern template void Submit(std::string_view, v1::JobKind, const Caller&,
                            std::shared_ptr<v1::SummarizeRequest>, const Reply&, const Admission&,
                            const Domain&);

}  // namespace gateway::rpc
