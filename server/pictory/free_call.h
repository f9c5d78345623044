// A FreeCall is a call to Pictory that makes no job and costs nothing, ready to be sent.
#pragma once

#include <atomic>
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
  // The method that shows whether the call was carried out, if it must not be repeated where it may
  // have been. Null: repeating it does no harm.
  const char* shown_by = nullptr;
  // Set once nobody wants the call made any more; null: it is wanted.
  std::shared_ptr<const std::atomic<bool>> cancelled = nullptr;

  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(); }
};

// The status of the answer to a FreeCall: OK for 2xx, unless it tells an error. What Pictory does
// not know is NOT_FOUND, what it forbids PERMISSION_DENIED, without a word on the credentials: they
// may be good, and the thing another account's. Where a call with `shown_by` may have been carried
// out it is UNKNOWN, without a delay after which to try again. Pure.
absl::Status ReadFreeStatus(const http::Response& response, const char* shown_by, WallTime now);

}  // namespace gateway::pictory
