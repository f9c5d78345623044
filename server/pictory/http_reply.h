// These functions read what an HTTP response says before anyone looks into its JSON.
//
// They are pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/transport.h"

namespace gateway::pictory {

// How long Pictory asks to be left alone: seconds or an HTTP date, brought into
// limits::kRetryAfterMin … kRetryAfterMax. Zero if it does not ask, or not readably.
Duration RetryAfter(const http::Response& response, WallTime now);

// `HTTP 502`, `HTTP 403 from the bot filter in front of Pictory`, `not sent: connection refused`:
// for logs and messages. Holds nothing of the body.
std::string Describe(const http::Response& response);

// Cloudflare stands before Pictory and turns away clients it takes for bots, with a page of its
// own.
bool FromBotFilter(const http::Response& response);

// The body is meant to be a JSON object, whether or not it is a good one.
bool HasJsonObject(const http::Response& response);

inline bool IsSuccess(const http::Response& response) {
  return response.status >= 200 && response.status < 300;
}
inline bool IsClientError(const http::Response& response) {
  return response.status >= 400 && response.status < 500;
}

// A strong 64-bit hash of status and body; never 0. Equal digests mean an equal reply.
std::uint64_t Digest(const http::Response& response);

}  // namespace gateway::pictory
