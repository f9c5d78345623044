// GuardedTransport lets through what costs nothing, and keeps each answer to be looked at.
//
// It is the last wall before money: whatever the code above it does, a request that could cost
// something, or change something of the account, leaves only where Allow has said so, for one
// request each time. It is used by one thread at a time; answers come on those of the transport.
#pragma once

#include "base/mutex.h"
#include "http/transport.h"

namespace gateway::contract {

class GuardedTransport final : public http::HttpTransport {
 public:
  // `transport` must outlive the object and what it has in flight.
  explicit GuardedTransport(http::HttpTransport& transport) : transport_(transport) {}

  void Start(http::Request request, Done done) override;

  // Lets one request through that is not free.
  void Allow();
  // Takes that back, if it was not used.
  void Disallow();

  // The answer since Forget, and the last to a token's fetch. Without an answer the outcome is
  // kNotSent.
  void Forget();
  http::Response last() const;
  http::Response last_token() const;

 private:
  bool LetsThrough(const http::Request& request);

  http::HttpTransport& transport_;
  mutable Mutex mutex_;
  bool allowed_ GUARDED_BY(mutex_) = false;
  http::Response last_ GUARDED_BY(mutex_);
  http::Response last_token_ GUARDED_BY(mutex_);
};

// Whether a request costs nothing and changes nothing, as far as Pictory's pages say: pure.
bool IsFree(const http::Request& request);

}  // namespace gateway::contract
