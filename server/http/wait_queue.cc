#include "http/wait_queue.h"

namespace gateway::http {

void WaitQueue::Push(PendingRequest pending) {
  const Sequence sequence = ++last_;
  if (pending.request.start_by != MonoTime::max()) {
    deadlines_.emplace(pending.request.start_by, sequence);
  }
  waiting_.emplace_hint(waiting_.end(), sequence, std::move(pending));
}

PendingRequest WaitQueue::Pop() { return Take(waiting_.begin()); }

std::optional<PendingRequest> WaitQueue::PopExpired(MonoTime now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return Take(waiting_.find(deadlines_.begin()->second));
}

MonoTime WaitQueue::next_deadline() const {
  return deadlines_.empty() ? MonoTime::max() : deadlines_.begin()->first;
}

PendingRequest WaitQueue::Take(std::map<Sequence, PendingRequest>::iterator it) {
  PendingRequest pending = std::move(it->second);
  deadlines_.erase({pending.request.start_by, it->first});
  waiting_.erase(it);
  return pending;
}

}  // namespace gateway::http
