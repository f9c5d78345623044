#include "rpc/unary_call.h"

#include <optional>

#include "base/errors.h"
#include "rpc/status.h"

namespace gateway::rpc {

// A call that was not answered at once: hears of the caller's cancel, and ends when it is answered.
class LateCall final : public grpc::ServerUnaryReactor {
 public:
  LateCall(Reply reply, grpc::ByteBuffer* response, Admission::Ticket ticket)
      : reply_(std::move(reply)), response_(response), ticket_(std::move(ticket)) {}

  // May be gone when it returns.
  void Complete(absl::StatusOr<grpc::ByteBuffer> answer) {
    if (!answer.ok()) return Finish(ToGrpc(answer.status()));
    *response_ = *std::move(answer);
    Finish(grpc::Status::OK);
  }

  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  const Reply reply_;
  grpc::ByteBuffer* const response_;
  const Admission::Ticket ticket_;
};

struct Reply::Shared {
  Shared(std::string_view m, const Domain& d) : method(m), domain(d), begun(d.clock.Now()) {}

  const std::string_view method;
  const Domain& domain;
  const MonoTime begun;
  std::atomic<bool> cancelled{false};
  Mutex mutex;
  bool answered GUARDED_BY(mutex) = false;
  std::optional<absl::StatusOr<grpc::ByteBuffer>> early GUARDED_BY(mutex);  // before Carry
  LateCall* call GUARDED_BY(mutex) = nullptr;  // from Carry until it is completed
  Timers::Id timer GUARDED_BY(mutex) = Timers::kNone;
};

Reply::Reply(std::string_view method, const Domain& domain)
    : shared_(std::make_shared<Shared>(method, domain)) {}

void Reply::operator()(absl::Status error) const { Send(std::move(error)); }

void Reply::operator()(jobs::Frame frame) const { Send(ToBuffer(std::move(frame))); }

void Reply::operator()(const google::protobuf::MessageLite& message) const {
  Send(ToBuffer(message));
}

std::shared_ptr<std::atomic<bool>> Reply::cancelled() const {
  return {shared_, &shared_->cancelled};
}

// The first answer counts; only who gives it may touch the call, which goes when it is completed.
void Reply::Send(absl::StatusOr<grpc::ByteBuffer> answer) const {
  const absl::StatusCode code = answer.status().code();
  Timers::Id armed = Timers::kNone;
  LateCall* call = nullptr;
  {
    MutexLock lock(shared_->mutex);
    if (std::exchange(shared_->answered, true)) return;
    armed = std::exchange(shared_->timer, Timers::kNone);
    call = std::exchange(shared_->call, nullptr);
    if (call == nullptr) shared_->early = std::move(answer);
  }
  const Domain& domain = shared_->domain;
  if (armed != Timers::kNone) domain.timers.Cancel(armed);
  if (domain.ended) domain.ended(shared_->method, code, domain.clock.Now() - shared_->begun);
  // NOLINTNEXTLINE(bugprone-use-after-move): moved above only if `call` is null
  if (call != nullptr) call->Complete(std::move(answer));
}

// The library runs the reactions of its own default reactor at once, and those of all others on a
// further thread: a hop that costs as much as the rest of a call that was answered at once.
grpc::ServerUnaryReactor* Reply::Carry(grpc::CallbackServerContext* context,
                                       grpc::ByteBuffer* response, Admission::Ticket ticket) const {
  std::optional<absl::StatusOr<grpc::ByteBuffer>> early;
  {
    MutexLock lock(shared_->mutex);
    if (!shared_->early.has_value()) {
      return shared_->call = new LateCall(*this, response, std::move(ticket));  // until its OnDone
    }
    early = std::move(shared_->early);
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const grpc::Status status = ToGrpc(early->status());
  if (status.ok()) *response = **std::move(early);
  reactor->Finish(status);
  return reactor;
}

void Reply::AnswerBy(MonoTime deadline) const {
  MutexLock lock(shared_->mutex);
  if (shared_->answered) return;
  shared_->timer = shared_->domain.timers.At(deadline, [reply = *this] {
    {
      MutexLock relock(reply.shared_->mutex);
      reply.shared_->timer = Timers::kNone;
    }
    reply.shared_->cancelled.store(true);
    reply(errors::DeadlineExceeded(
        "No answer in the 60 s the server gives calls without a deadline of their own; the same "
        "request_id asks again safely"));
  });
}

void LateCall::OnCancel() {
  reply_.cancelled()->store(true);
  reply_(errors::Cancelled());
}

}  // namespace gateway::rpc
