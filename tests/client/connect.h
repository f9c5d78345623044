// A client of a scripted gateway that waits for nothing.
#pragma once

#include "client/fake_pacing.h"
#include "client/fake_server.h"
#include "pictory_jobs/client.h"

namespace pictory_jobs::fake {

inline Client Connect(const FakeServer& server, FakePacing& pacing, RetryOptions retry = {}) {
  ClientOptions options;
  options.pacing = pacing.pacing();
  options.retry = retry;
  return *Client::Connect(server.target(), options);
}

}  // namespace pictory_jobs::fake
