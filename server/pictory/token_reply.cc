#include "pictory/token_reply.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "json/check.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"

namespace gateway::pictory {
namespace {

// A token goes into a header as it is; nothing else may.
bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= limits::kTokenMaxBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// The token's life. Nonsense counts as no word at all: a token is there, and a 401 will tell when
// it has ended.
Duration Life(const json::Member* expires_in) {
  if (expires_in == nullptr) return limits::kTokenLifeAssumed;
  const std::string text = json::Text(expires_in->value);
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || stopped != end || !std::isfinite(seconds) || seconds <= 0) {
    return limits::kTokenLifeAssumed;
  }
  const double most = std::chrono::duration<double>(limits::kTokenLifeMax).count();
  const double least = std::chrono::duration<double>(limits::kTokenLifeMin).count();
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(seconds, least, most)));
}

TokenReply Trouble(TokenReply::Kind kind, const http::Response& response,
                   std::string_view what = "") {
  TokenReply reply;
  reply.kind = kind;
  reply.detail = absl::StrCat("no access token: ", Describe(response), std::string(what));
  return reply;
}

TokenReply ReadSuccess(const http::Response& response) {
  json::Outline body;
  if (!json::Check(response.body, kReplyLimits, &body).ok() || body.type != json::Type::kObject) {
    return Trouble(TokenReply::Kind::kUnavailable, response, ", unreadable body");
  }
  const json::Member* const token = body.Find("access_token");
  if (token == nullptr) {
    // Pictory tells of failures under 200, too.
    const absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body);
    const bool refused = envelope.ok() && (envelope->success == false || envelope->tells_error);
    return Trouble(refused ? TokenReply::Kind::kRefused : TokenReply::Kind::kUnavailable, response,
                   " without an access_token");
  }
  std::string text = token->type == json::Type::kString ? json::Text(token->value) : "";
  if (!IsToken(text)) {
    return Trouble(TokenReply::Kind::kUnavailable, response, " with an unusable access_token");
  }
  TokenReply reply;
  reply.kind = TokenReply::Kind::kToken;
  reply.token = Secret(std::move(text));
  reply.life = Life(body.Find("expires_in"));
  reply.detail = Describe(response);
  return reply;
}

}  // namespace

TokenReply ReadTokenReply(const http::Response& response, WallTime now) {
  if (response.outcome != http::Response::Outcome::kComplete) {
    return Trouble(TokenReply::Kind::kUnavailable, response);
  }
  if (IsSuccess(response)) return ReadSuccess(response);
  TokenReply reply = Trouble(TokenReply::Kind::kUnavailable, response);
  if (response.status == 429) {
    reply.kind = TokenReply::Kind::kRateLimited;
  } else if (response.status == 401 ||
             ((response.status == 400 || response.status == 403) && HasJsonObject(response))) {
    reply.kind = TokenReply::Kind::kRefused;  // a page in place of JSON is some proxy's
  }
  reply.retry_after = RetryAfter(response, now);
  return reply;
}

absl::Status TokenError(const TokenReply& reply, Duration retry) {
  switch (reply.kind) {
    case TokenReply::Kind::kRefused:
      return errors::UpstreamCredentials(reply.detail);
    case TokenReply::Kind::kRateLimited:
      return errors::UpstreamRateLimited(retry, errors::Call::kFree);
    case TokenReply::Kind::kToken:
    case TokenReply::Kind::kUnavailable:
      break;
  }
  return errors::UpstreamUnreachable(reply.detail, retry, errors::Call::kFree);
}

}  // namespace gateway::pictory
