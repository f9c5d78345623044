#include "rpc/unary_call.h"

#include "base/errors.h"
#include "rpc/status.h"

namespace gateway::rpc {

struct Reply::Shared {
  Shared(UnaryCall& c, Timers& t) : call(c), timers(t) {}

  // True for the first who asks; only that one may touch `call`, which goes some time after it
  // was completed.
  bool Claim() {
    Timers::Id armed = Timers::kNone;
    {
      MutexLock lock(mutex);
      if (answered) return false;
      answered = true;
      armed = std::exchange(timer, Timers::kNone);
    }
    if (armed != Timers::kNone) timers.Cancel(armed);
    return true;
  }

  UnaryCall& call;
  Timers& timers;
  const std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  Mutex mutex;
  bool answered GUARDED_BY(mutex) = false;
  Timers::Id timer GUARDED_BY(mutex) = Timers::kNone;
};

void Reply::Send(absl::StatusOr<grpc::ByteBuffer> answer) const {
  if (shared_->Claim()) shared_->call.Complete(std::move(answer));
}

void Reply::operator()(absl::Status error) const { Send(std::move(error)); }

void Reply::operator()(jobs::Frame frame) const { Send(ToBuffer(std::move(frame))); }

void Reply::operator()(const google::protobuf::MessageLite& message) const {
  Send(ToBuffer(message));
}

const std::shared_ptr<std::atomic<bool>>& Reply::cancelled() const { return shared_->cancelled; }

void Reply::AnswerBy(MonoTime deadline) const {
  MutexLock lock(shared_->mutex);
  if (shared_->answered) return;
  shared_->timer = shared_->timers.At(deadline, [reply = *this] {
    {
      MutexLock relock(reply.shared_->mutex);
      reply.shared_->timer = Timers::kNone;
    }
    reply.shared_->cancelled->store(true);
    reply(errors::DeadlineExceeded(
        "No answer in the 60 s the server gives calls without a deadline of their own; the same "
        "request_id asks again safely"));
  });
}

UnaryCall::UnaryCall(std::string_view method, Admission::Ticket ticket, grpc::ByteBuffer* response,
                     const Domain& domain)
    : method_(method),
      ticket_(std::move(ticket)),
      response_(response),
      domain_(domain),
      begun_(domain.clock.Now()),
      reply_(std::make_shared<Reply::Shared>(*this, domain.timers)) {}

void UnaryCall::OnCancel() {
  reply_.shared_->cancelled->store(true);
  reply_(errors::Cancelled());
}

void UnaryCall::Complete(absl::StatusOr<grpc::ByteBuffer> answer) {
  if (domain_.ended) {
    domain_.ended(method_, answer.status().code(), domain_.clock.Now() - begun_);
  }
  if (!answer.ok()) return Finish(ToGrpc(answer.status()));
  *response_ = *std::move(answer);
  Finish(grpc::Status::OK);
}

}  // namespace gateway::rpc
