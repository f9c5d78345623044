#include "rpc/unread.h"

#include <grpc/grpc.h>

#include <utility>
#include <vector>

namespace gateway::rpc {

const Unread::Actions Unread::kLibrary = {grpc_call_ref, grpc_call_unref,
                                          [](grpc_call* call) { grpc_call_cancel(call, nullptr); }};

Unread::Unread(const Clock& clock, Timers& timers, Duration patience, const Actions& actions)
    : clock_(clock), timers_(timers), patience_(patience), actions_(actions) {
  MutexLock lock(mutex_);
  list_.before = list_.after = &list_;
}

void Unread::Add(Answer& answer, grpc_call* call) {
  actions_.ref(call);  // it may be over while it is being ended
  const MonoTime now = clock_.Now();
  MutexLock lock(mutex_);
  answer.call = call;
  answer.since = now;
  answer.before = list_.before;
  answer.after = &list_;
  answer.before->after = list_.before = &answer;
  ++count_;
  Arm();
}

void Unread::Remove(Answer& answer) {
  grpc_call* call;
  {
    MutexLock lock(mutex_);
    call = Unlink(answer);
  }
  if (call != nullptr) actions_.unref(call);
}

std::size_t Unread::count() const {
  MutexLock lock(mutex_);
  return count_;
}

std::uint64_t Unread::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

grpc_call* Unread::Unlink(Answer& answer) {
  if (answer.call == nullptr) return nullptr;
  answer.before->after = answer.after;
  answer.after->before = answer.before;
  --count_;
  return std::exchange(answer.call, nullptr);
}

// Sets one timer while there is any answer, and none for an idle server.
void Unread::Arm() {
  if (armed_ || count_ == 0) return;
  armed_ = true;
  timers_.At(clock_.Now() + patience_ / 8, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTick();
  });
}

void Unread::OnTick() {
  const MonoTime now = clock_.Now();
  std::vector<grpc_call*> stuck;
  {
    MutexLock lock(mutex_);
    while (count_ > 0 && list_.after->since + patience_ <= now)
      stuck.push_back(Unlink(*list_.after));
    ended_ += stuck.size();
    armed_ = false;
    Arm();
  }
  // Ending a call may run its last callbacks, which come here again.
  for (grpc_call* call : stuck) {
    actions_.end(call);
    actions_.unref(call);
  }
}

}  // namespace gateway::rpc
