// A WaitQueue holds requests that wait for a connection: first in, first out, each until its own
// deadline.
//
// It is single-threaded. libcurl could hold the requests itself, but then its idea of time would
// govern, and a transfer that libcurl holds costs more than twice one that we hold.
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
  // Takes out the oldest request. The queue must not be empty.
  PendingRequest Pop();
  // Takes out a request whose deadline is not after `now`, the earliest deadline first.
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
