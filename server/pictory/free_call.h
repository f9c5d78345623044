// A FreeCall is a call to Pictory that makes no job and costs nothing, ready to be sent. Repeating
// it does no harm.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/transport.h"

namespace gateway::pictory {

struct FreeCall {
  std::string method = "GET";
  std::string path;                                   // below the base URL, encoded
  std::shared_ptr<const std::string> body = nullptr;  // null: none
  const char* content_type = "application/json";      // of the body
  std::size_t max_reply_bytes = limits::kSubmitReplyMaxBytes;
};

// The status of the answer to a FreeCall: OK for 2xx, unless it tells an error. What Pictory does
// not know is NOT_FOUND, what it forbids PERMISSION_DENIED, without a word on the credentials: they
// may be good, and the thing another account's. Pure.
absl::Status ReadFreeStatus(const http::Response& response, WallTime now);

}  // namespace gateway::pictory
