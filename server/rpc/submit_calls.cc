#include "rpc/submit_calls.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "jobs/fingerprint.h"
#include "pictory/job_name.h"
#include "rpc/canonical.h"

namespace gateway::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Takes the metadata's key where the field is empty. Two different ones are a mistake of the
// caller's that must not cost money.
absl::Status TakeIdempotencyKey(const Caller& caller, const FieldDescriptor* field,
                                Message& request) {
  const std::string& key = caller.idempotency_key;
  if (caller.more_keys) {
    return errors::Invalid("request_id",
                           "the metadata idempotency-key is there more than once; send it once");
  }
  const std::string own = request.GetReflection()->GetString(request, field);
  if (key.empty() || key == own) return absl::OkStatus();
  if (!own.empty()) {
    return errors::Invalid("request_id",
                           "differs from the metadata idempotency-key; send one of them, or both "
                           "the same");
  }
  if (!IsRequestId(key)) {
    return errors::Invalid("request_id",
                           "the metadata idempotency-key must be 1 to 64 of [A-Za-z0-9_-]");
  }
  request.GetReflection()->SetString(&request, field, key);
  return absl::OkStatus();
}

const Message& PrototypeOf(const google::protobuf::Descriptor* type) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
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

SubmitMethod::SubmitMethod(const google::protobuf::MethodDescriptor& submit)
    : path(absl::StrCat("/", submit.service()->full_name(), "/", submit.name())),
      name(submit.name()),
      kind(pictory::KindMadeBy(&submit)),
      prototype(PrototypeOf(submit.input_type())),
      fields(pictory::FieldsOf(submit.input_type())) {}

void Submit(const SubmitMethod& method, const Caller& caller, std::shared_ptr<Message> request,
            const Reply& reply, const Admission& admission, const Domain& domain) {
  if (admission.draining()) return reply(admission.DrainStatus());
  const FieldDescriptor* const id_field = method.fields.request_id;
  if (absl::Status key = TakeIdempotencyKey(caller, id_field, *request); !key.ok()) {
    return reply(std::move(key));
  }
  const google::protobuf::Reflection* const reflection = request->GetReflection();
  std::string request_id = reflection->GetString(*request, id_field);
  reply.Note(request_id);
  std::vector<errors::Violation> violations = domain.backend.Validate(caller.owner, *request);
  if (!violations.empty()) return reply(errors::Invalid(std::move(violations)));
  // A large request has been waiting, and its caller may be gone; nothing was submitted yet.
  if (reply.cancelled()->load()) return;
  if (request_id.empty() && domain.require_request_id) {
    return reply(
        errors::Invalid("request_id",
                        "is required by this server: send an id of your own, 1 to 64 of "
                        "[A-Za-z0-9_-], and the same one whenever you repeat the request"));
  }
  reflection->ClearField(request.get(), id_field);
  jobs::SubmitRequest submit;
  // Whether a submit may wait does not make it another request: its repetition need not.
  if (const FieldDescriptor* const waits = method.fields.waits) {
    submit.waits = reflection->GetBool(*request, waits);
    reflection->ClearField(request.get(), waits);
  }
  // By the account's name and not its API key, which may change while the request stays the same.
  submit.fingerprint = Fingerprint(method.name, caller.owner.account, *request);
  submit.owner = caller.owner;
  submit.kind = method.kind;
  submit.minted_request_id = request_id.empty();
  submit.retry = caller.retry;
  submit.trace = caller.trace;
  submit.request_id = request_id.empty() ? MintRequestId(domain.random) : std::move(request_id);
  submit.labels = pictory::LabelsOf(*request, method.fields.labels);
  submit.name = pictory::JobNameIn(*request);
  submit.notify_url = pictory::NotifyUrlOf(*request);
  submit.deadline = caller.deadline;
  submit.cancelled = reply.cancelled();
  submit.hold = domain.hold;
  reflection->SetString(request.get(), id_field, submit.request_id);
  submit.request = std::move(request);
  domain.backend.Submit(
      std::move(submit),
      [reply, &domain](absl::StatusOr<jobs::SnapshotPtr> answer, const jobs::AnswerSource& source) {
        if (!answer.ok()) return reply(answer.status());
        const bool degraded = domain.backend.IsDegraded((*answer)->account);
        reply(jobs::FrameOf(domain.estimates, *answer, degraded), source);
      });
}

}  // namespace gateway::rpc
