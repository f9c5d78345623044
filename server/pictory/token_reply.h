// A TokenReply is what the answer to POST /v1/oauth2/token says. Pure.
//
// The answer comes without Pictory's usual envelope: {"access_token": "…", "expires_in": 3600}.
// Anything may come in its place: pages of proxies, errors under any status.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/secret.h"
#include "http/transport.h"

namespace gateway::pictory {

struct TokenReply {
  enum class Kind {
    kToken,
    kRefused,  // the client credentials are not taken
    kRateLimited,
    kUnavailable,  // unreachable, 5xx, cut or unreadable
  };
  Kind kind = Kind::kUnavailable;
  Secret token;             // if kToken: 1 to limits::kTokenMaxBytes visible ASCII characters
  Duration life{0};         // if kToken, from the moment it was asked for: positive
  Duration retry_after{0};  // if Pictory asked for a pause
  std::string detail;       // for people; no secrets
};

TokenReply ReadTokenReply(const http::Response& response, WallTime now);

// The status for a caller who could get no token. `retry` is when the next one is asked for.
absl::Status TokenError(const TokenReply& reply, Duration retry);

}  // namespace gateway::pictory
