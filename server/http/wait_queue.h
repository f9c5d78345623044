// Requests that wait for a connection: first in, first out, each until its own deadline.
//
// Single-threaded. libcurl could hold them itself, but then its idea of time would govern, and a
// transfer it holds costs more than twice one we hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "http/transport.h"

namespace gateway::http {

struct PendingRequest {
  Request request;
  HttpTransport::Done done;
};

class WaitQueue {
 public:
  void Push(PendingRequest pending);
  // The oldest. The queue must not be empty.
  PendingRequest Pop();
  // One whose deadline is not after `now`, the earliest deadline first.
  std::optional<PendingRequest> PopExpired(MonoTime now);
  // MonoTime::max() if nothing waits with a deadline.
  MonoTime next_deadline() const;
  bool empty() const { return waiting_.empty(); }

 private:
  using Sequence = std::uint64_t;
  PendingRequest Take(std::map<Sequence, PendingRequest>::iterator it);

  Sequence last_ = 0;
  std::map<Sequence, PendingRequest> waiting_;
  std::set<std::pair<MonoTime, Sequence>> deadlines_;
};

}  // namespace gateway::http
