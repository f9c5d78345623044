// What became of one paid POST, as a value: everything the domain needs to decide, nothing of HTTP
// or JSON.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "base/clock.h"

namespace gateway::http {
struct Response;
}  // namespace gateway::http

namespace gateway::pictory {

struct SubmitReply {
  enum class Outcome { kAccepted, kRefused, kNotSent, kUnknown };
  Outcome outcome = Outcome::kUnknown;
  std::string pictory_job_id;  // if kAccepted
  // If kUnknown: the id in what came of the answer, or "". Not to be believed before Pictory was
  // asked.
  std::string hinted_job_id;
  absl::Status error;         // if kRefused or kNotSent: what the caller gets
  bool rate_limited = false;  // if kNotSent: by a 429
  bool crowded = false;       // if kNotSent: Pictory was not tried, because others had all places
  // If kRefused: by a 401 that a new access token may turn into something better.
  bool token_refused = false;
  Duration retry_after{0};
  std::string detail;  // for logs
};

// Classifies the answer to a paid request: pure.
SubmitReply ReadSubmitReply(const http::Response& response, WallTime now);

}  // namespace gateway::pictory
