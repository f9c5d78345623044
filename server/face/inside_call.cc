#include "face/inside_call.h"

#include "rpc/status.h"

namespace gateway::face {

std::shared_ptr<InsideCall> InsideCall::Begin(grpc::GenericStub& stub, rpc::InsideCalls& calls,
                                              const CallHead& head) {
  auto call = std::make_shared<InsideCall>(calls, head);
  {
    MutexLock lock(call->mutex_);
    call->self_ = call;
  }
  stub.PrepareBidiStreamingCall(&call->context_, head.path, {}, call.get());
  call->AddHold();  // until there is nothing more to read
  call->StartRead(&call->reading_);
  call->StartCall();
  return call;
}

InsideCall::InsideCall(rpc::InsideCalls& calls, const CallHead& head)
    : loan_(calls.Lend(head.facts)) {
  for (const auto& [name, value] : head.metadata) context_.AddMetadata(name, value);
  context_.AddMetadata(rpc::kInsideKey, loan_->name());
  if (head.deadline.has_value()) {
    context_.set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(*head.deadline));
  }
}

InsideCall::~InsideCall() = default;

// What is started from outside needs a hold of its own, which may only be added while there is one.
bool InsideCall::EnterSending() {
  MutexLock lock(mutex_);
  if (released_) return false;
  AddHold();
  return true;
}

void InsideCall::Send(grpc::ByteBuffer request) {
  if (!EnterSending()) return;
  request_ = std::move(request);
  StartWriteLast(&request_, {});
  RemoveHold();
}

void InsideCall::Refuse(absl::Status why) {
  loan_->Refuse(std::move(why));
  if (!EnterSending()) return;
  StartWritesDone();
  RemoveHold();
}

void InsideCall::Take(std::function<void(Next)> take) {
  bool reads = false;
  {
    MutexLock lock(mutex_);
    take_ = std::move(take);
    reads = !ready_.has_value() && !reading_on_ && !released_;
    if (reads) reading_on_ = true;
  }
  if (reads) StartRead(&reading_);  // the hold is there until the library has nothing more
  Give();
}

void InsideCall::OnReadDone(bool ok) {
  bool again = false;
  {
    MutexLock lock(mutex_);
    again = ok && cancelled_;  // the end is still to be read
    released_ = !ok;
    if (ok && !cancelled_) {
      ready_ = std::move(reading_);
      reading_.Clear();
      reading_on_ = false;
    }
  }
  if (again) return StartRead(&reading_);
  if (!ok) return RemoveHold();
  Give();
}

void InsideCall::Cancel() {
  bool drains = false;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    ready_.reset();
    drains = !reading_on_ && !released_;
    if (drains) reading_on_ = true;
  }
  context_.TryCancel();
  if (drains) StartRead(&reading_);  // it fails, and so the call ends
}

void InsideCall::OnDone(const grpc::Status& status) {
  std::shared_ptr<InsideCall> self;
  {
    MutexLock lock(mutex_);
    status_ = rpc::FromGrpc(status);
    self = std::move(self_);
  }
  Give();
}

void InsideCall::Give() {
  std::function<void(Next)> take;
  Next next;
  {
    MutexLock lock(mutex_);
    if (!take_ || (!ready_.has_value() && !status_.has_value())) return;
    take = std::move(take_);
    take_ = nullptr;
    next.message = std::move(ready_);
    ready_.reset();
    if (!next.message.has_value()) next.status = *status_;
  }
  take(std::move(next));
}

bool InsideCall::ended() const {
  MutexLock lock(mutex_);
  return status_.has_value();
}

std::string InsideCall::Trailing(const std::string& name) const {
  const auto& metadata = context_.GetServerTrailingMetadata();
  const auto found = metadata.find(name);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace gateway::face
