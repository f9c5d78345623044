#include "rpc/unary_call.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "rpc/peer.h"
#include "rpc/raw_service.h"
#include "rpc/status.h"
#include "rpc/unread.h"

namespace gateway::rpc {

// Trailing metadata of a submit that an earlier call's job answers; part of the interface.
constexpr char kAnswerOf[] = "pictory-answer-of";      // the request_id of that call
constexpr char kAnswerRule[] = "pictory-answer-rule";  // why: jobs::RuleName

// A LateCall was not answered at once, or somebody waits for its end. It hears of the caller's
// cancel, and ends when it is answered.
class LateCall final : public LateReactor {
 public:
  LateCall(Reply reply, grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
           Admission::Ticket ticket, Unread* unread)
      : reply_(std::move(reply)),
        context_(context),
        response_(response),
        ticket_(std::move(ticket)),
        unread_(unread) {}

  // The call may be gone when Complete returns.
  void Complete(absl::StatusOr<grpc::ByteBuffer> answer, jobs::AnswerSource source) {
    if (source.rule != jobs::AnswerRule::kOwn) {
      context_->AddTrailingMetadata(kAnswerOf, source.request_id);
      context_->AddTrailingMetadata(kAnswerRule, jobs::RuleName(source.rule));
    }
    carried_ = std::move(source.call);
    if (unread_ != nullptr) unread_->Add(answer_, context_->c_call());
    if (!answer.ok()) return Finish(ToGrpc(answer.status()));
    *response_ = *std::move(answer);
    Finish(grpc::Status::OK);
  }

  void OnCancel() override;
  void OnDone() override {
    if (unread_ != nullptr) unread_->Remove(answer_);
    if (carried_ != nullptr && !context_->IsCancelled()) carried_->Arrived();
    delete this;
  }

 private:
  const Reply reply_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  const Admission::Ticket ticket_;
  std::shared_ptr<jobs::OwedAnswers::Call> carried_;
  Unread* const unread_;
  Unread::Answer answer_;
};

struct Reply::Shared {
  Shared(std::string_view m, const grpc::CallbackServerContext& c, std::size_t received,
         TraceContext t, const Domain& d)
      : method(m),
        context(c),
        received_bytes(received),
        trace(std::move(t)),
        domain(d),
        begun(d.clock.Now()) {}

  struct Early {
    absl::StatusOr<grpc::ByteBuffer> answer;
    jobs::AnswerSource source;
  };

  const std::string_view method;
  const grpc::CallbackServerContext& context;  // gone once the call is answered
  const std::size_t received_bytes;
  const TraceContext trace;
  const Domain& domain;
  const MonoTime begun;
  std::atomic<bool> cancelled{false};
  Mutex mutex;
  std::string request_id GUARDED_BY(mutex);
  bool answered GUARDED_BY(mutex) = false;
  std::optional<Early> early GUARDED_BY(mutex);  // before Carry
  LateCall* call GUARDED_BY(mutex) = nullptr;    // from Carry until it is completed
  Timers::Id timer GUARDED_BY(mutex) = Timers::kNone;
};

Reply::Reply(std::string_view method, const grpc::CallbackServerContext& context,
             std::size_t received_bytes, TraceContext trace, const Domain& domain)
    : shared_(std::make_shared<Shared>(method, context, received_bytes, std::move(trace), domain)) {
}

void Reply::Note(std::string_view request_id) const {
  MutexLock lock(shared_->mutex);
  shared_->request_id = request_id;
}

void Reply::operator()(absl::Status error) const { Send(std::move(error)); }

void Reply::operator()(jobs::Frame frame) const { Send(ToBuffer(std::move(frame))); }

void Reply::operator()(jobs::Frame frame, jobs::AnswerSource source) const {
  Send(ToBuffer(std::move(frame)), std::move(source));
}

void Reply::operator()(const google::protobuf::MessageLite& message) const {
  Send(ToBuffer(message));
}

std::shared_ptr<std::atomic<bool>> Reply::cancelled() const {
  return {shared_, &shared_->cancelled};
}

// The first answer counts; only who gives it may touch the call, which goes when it is completed.
void Reply::Send(absl::StatusOr<grpc::ByteBuffer> answer, jobs::AnswerSource source) const {
  const absl::Status status = answer.status();
  const std::size_t sent_bytes = answer.ok() ? LengthOf(*answer) : 0;
  std::string peer;
  std::string request_id;
  Timers::Id armed = Timers::kNone;
  LateCall* call = nullptr;
  {
    MutexLock lock(shared_->mutex);
    if (std::exchange(shared_->answered, true)) return;
    if (!status.ok()) {
      peer = PeerName(shared_->context, shared_->domain);
      request_id = std::move(shared_->request_id);
    }
    armed = std::exchange(shared_->timer, Timers::kNone);
    call = std::exchange(shared_->call, nullptr);
    if (call == nullptr) shared_->early = Shared::Early{std::move(answer), std::move(source)};
  }
  const Domain& domain = shared_->domain;
  if (armed != Timers::kNone) domain.timers.Cancel(armed);
  domain.Ended({.method = shared_->method,
                .status = status,
                .took = domain.clock.Now() - shared_->begun,
                .received_bytes = shared_->received_bytes,
                .sent_bytes = sent_bytes,
                .peer = peer,
                .request_id = request_id,
                .trace = &shared_->trace});
  // NOLINTNEXTLINE(bugprone-use-after-move): moved above only if `call` is null
  if (call != nullptr) call->Complete(std::move(answer), std::move(source));
}

// The library runs the reactions of its own default reactor at once, and those of all others on a
// further thread: a hop that costs as much as the rest of a call that was answered at once. But
// nobody hears of its end.
grpc::ServerUnaryReactor* Reply::Carry(grpc::CallbackServerContext* context,
                                       grpc::ByteBuffer* response, Admission::Ticket ticket) const {
  std::optional<Shared::Early> early;
  {
    MutexLock lock(shared_->mutex);
    if (!shared_->early.has_value()) {
      // The call lives until its OnDone.
      return shared_->call =
                 new LateCall(*this, context, response, std::move(ticket), shared_->domain.unread);
    }
    early = std::move(shared_->early);
  }
  if (early->source.call != nullptr) {
    auto* const call =
        new LateCall(*this, context, response, std::move(ticket), shared_->domain.unread);
    call->Complete(std::move(early->answer), std::move(early->source));
    return call;
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const grpc::Status status = ToGrpc(early->answer.status());
  if (status.ok()) *response = *std::move(early->answer);
  reactor->Finish(status);
  return reactor;
}

void Reply::AnswerBy(MonoTime deadline, Admission::Kind kind) const {
  MutexLock lock(shared_->mutex);
  if (shared_->answered) return;
  shared_->timer = shared_->domain.timers.At(deadline, [reply = *this, kind] {
    {
      MutexLock relock(reply.shared_->mutex);
      reply.shared_->timer = Timers::kNone;
    }
    reply.shared_->cancelled.store(true);
    reply(errors::DeadlineExceeded(absl::StrCat(
        "No answer in the 60 s the server gives calls without a deadline of their own; ",
        kind == Admission::Kind::kSubmit
            ? "the same request_id asks again safely"
            : "what the call changes may have been changed, so look before you ask "
              "for it again")));
  });
}

absl::StatusOr<TenantGates::Place> RoomFor(const grpc::ByteBuffer& request,
                                           const tenants::Principal& principal,
                                           const Domain& domain) {
  const std::size_t bytes = LengthOf(request);
  if (bytes <= limits::kSmallRequestMaxBytes) return nullptr;
  return domain.gates->EnterBytes(principal, bytes);
}

absl::StatusOr<std::shared_ptr<void>> HoldLarge(const Domain& domain, std::size_t bytes) {
  if (bytes <= limits::kSmallRequestMaxBytes) return nullptr;
  return domain.hold(bytes);
}

grpc::ServerUnaryReactor* RefuseUnary(std::string_view method, grpc::CallbackServerContext* context,
                                      const grpc::Status& refusal, const Domain& domain) {
  const TraceContext trace = TraceSent(*context);
  const std::string peer = PeerName(*context, domain);
  domain.Ended({.method = method, .status = FromGrpc(refusal), .peer = peer, .trace = &trace});
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(refusal);
  return reactor;
}

void LateCall::OnCancel() {
  reply_.cancelled()->store(true);
  reply_(errors::Cancelled());
}

}  // namespace gateway::rpc
