// These functions decide what one try to deliver a notification makes of it. Pure.
//
// As Standard Webhooks has it, 2xx alone is success, and 410 says that nobody wants it: it is given
// up. Everything else may pass: a redirect, which is not followed, any other refusal, silence, and
// an address where nothing may be sent. It is tried again with growing pauses for a day.
#pragma once

#include <string>

#include "base/clock.h"
#include "http/transport.h"
#include "jobs/job.h"

namespace gateway::notify {

// What came of sending it.
struct Try {
  bool delivered = false;
  bool hopeless = false;  // not to be tried again
  std::string problem;    // if not delivered; without an address, a URL or what the receiver says
  Duration wait{};        // how long the receiver asks to be left alone; 0: it does not
};

// Reads what became of the request.
Try TryOf(const http::Response& response, WallTime now);

// Notes a try in its notification. `random` is in [0, 1).
void Note(const Try& tried, WallTime now, double random, jobs::v1::Notification& notification);

// How long after the `tries`th try the next one comes.
Duration PauseAfter(int tries, double random);

}  // namespace gateway::notify
