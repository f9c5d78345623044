#include "rpc/submit_calls.h"

#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/ids.h"
#include "jobs/fingerprint.h"
#include "rpc/canonical.h"
#include "rpc/hash.h"

namespace gateway::rpc {
namespace {

// Of the one Pictory account there is. Not its key: that changes, and the request stays the same.
constexpr char kDefaultAccount[] = "default";

// The field wins; two different keys are a mistake of the caller's that must not cost money.
template <class Request>
absl::Status TakeIdempotencyKey(const std::string& key, Request& request) {
  if (key.empty() || key == request.request_id()) return absl::OkStatus();
  if (!request.request_id().empty()) {
    return errors::Invalid("request_id",
                           "differs from the metadata idempotency-key; send one of them, or both "
                           "the same");
  }
  if (!IsRequestId(key)) {
    return errors::Invalid("request_id",
                           "the metadata idempotency-key must be 1 to 64 of [A-Za-z0-9_-]");
  }
  request.set_request_id(key);
  return absl::OkStatus();
}

}  // namespace

std::string Fingerprint(std::string_view method, std::string_view account,
                        const google::protobuf::Message& request) {
  Sha256Stream digest;
  AppendCanonical(method, digest);
  AppendCanonical(account, digest);
  AppendCanonical(request, digest);
  return jobs::kFingerprintVersion + digest.Finish();
}

template <class Request>
void Submit(std::string_view method, v1::JobKind kind, const Caller& caller,
            std::shared_ptr<Request> request, const Reply& reply, const Admission& admission,
            const Domain& domain) {
  if (admission.draining()) return reply(admission.DrainStatus());
  if (absl::Status key = TakeIdempotencyKey(caller.idempotency_key, *request); !key.ok()) {
    return reply(std::move(key));
  }
  reply.Note(request->request_id());
  std::vector<errors::Violation> violations = domain.backend.Validate(*request);
  if (!violations.empty()) return reply(errors::Invalid(std::move(violations)));
  // It may be large, and it has been waiting; nothing was submitted yet.
  if (reply.cancelled()->load()) return;
  std::string request_id = request->request_id();
  if (request_id.empty() && domain.require_request_id) {
    return reply(
        errors::Invalid("request_id",
                        "is required by this server: send an id of your own, 1 to 64 of "
                        "[A-Za-z0-9_-], and the same one whenever you repeat the request"));
  }
  request->clear_request_id();
  jobs::SubmitRequest submit;
  submit.fingerprint = Fingerprint(method, kDefaultAccount, *request);
  submit.tenant = caller.tenant;
  submit.kind = kind;
  submit.minted_request_id = request_id.empty();
  submit.retry = caller.retry;
  submit.request_id = request_id.empty() ? MintRequestId(domain.random) : std::move(request_id);
  for (const auto& [label, value] : request->labels()) submit.labels[label] = value;
  submit.deadline = caller.deadline;
  submit.cancelled = reply.cancelled();
  submit.hold = domain.hold;
  request->set_request_id(submit.request_id);
  submit.request = std::move(request);
  const std::string tenant = caller.tenant;
  domain.backend.Submit(std::move(submit),
                        [reply, tenant, &domain](absl::StatusOr<jobs::SnapshotPtr> answer,
                                                 const jobs::AnswerSource& source) {
                          if (!answer.ok()) return reply(answer.status());
                          reply(jobs::JobFrame(*answer, domain.backend.IsDegraded(tenant)), source);
                        });
}

template void Submit(std::string_view, v1::JobKind, const Caller&,
                     std::shared_ptr<v1::CreatePreviewRequest>, const Reply&, const Admission&,
                     const Domain&);
template void Submit(std::string_view, v1::JobKind, const Caller&,
                     std::shared_ptr<v1::RenderRequest>, const Reply&, const Admission&,
                     const Domain&);
template void Submit(std::string_view, v1::JobKind, const Caller&,
                     std::shared_ptr<v1::TranscribeRequest>, const Reply&, const Admission&,
                     const Domain&);
template void Submit(std::string_view, v1::JobKind, const Caller&,
                     std::shared_ptr<v1::SummarizeRequest>, const Reply&, const Admission&,
                     const Domain&);

}  // namespace gateway::rpc
