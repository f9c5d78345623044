#include "pictory/access_tokens.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "json/writer.h"

namespace gateway::pictory {
namespace {

constexpr char kTokenPath[] = "/v1/oauth2/token";

std::shared_ptr<const std::string> RequestBody(const std::string& client_id, const Secret& secret) {
  std::string body;
  json::Writer writer(body);
  writer.StartObject();
  writer.Key("client_id");
  writer.String(client_id);
  writer.Key("client_secret");
  writer.String(secret.Reveal());
  writer.EndObject();
  return std::make_shared<const std::string>(std::move(body));
}

Duration PauseAfter(const TokenReply& reply, int failures) {
  if (reply.kind == TokenReply::Kind::kRefused) {
    // One refusal may stray.
    return failures == 1 ? limits::kCredentialsConfirmAfter : limits::kTokenRefusedRetry;
  }
  Duration pause = limits::kTokenRetryFirst;
  for (int i = 1; i < failures && pause < limits::kTokenRetryMax; ++i) pause *= 2;
  return std::max(reply.retry_after, std::min<Duration>(pause, limits::kTokenRetryMax));
}

}  // namespace

AccessTokens::AccessTokens(OAuthOptions options, std::string user_agent, TokenEvents events,
                           http::HttpTransport& transport, const Clock& clock)
    : client_id_(options.client_id),
      user_id_(options.user_id),
      user_agent_(std::move(user_agent)),
      events_(std::move(events)),
      transport_(transport),
      clock_(clock),
      request_body_(RequestBody(client_id_, options.client_secret)) {}

void AccessTokens::Authorize(Ready ready) {
  std::optional<absl::StatusOr<Authorization>> answer;
  bool fetch = false;
  {
    MutexLock lock(mutex_);
    const MonoTime now = clock_.Now();
    const bool wanted = !HasToken(now) || now >= refresh_at_;
    if (wanted && !fetching_ && now >= retry_at_) fetch = fetching_ = true;
    if (HasToken(now)) {
      answer = token_;
    } else if (fetching_) {
      waiting_.push_back(std::exchange(ready, nullptr));
    } else {
      answer = TokenError(failure_, retry_at_ - now);
    }
  }
  if (fetch) Fetch();
  if (answer.has_value()) ready(*std::move(answer));
}

// A token that replaced a refused one and is refused at once says that tokens are not what is
// missing. Replacing it as well, for each request that comes, would be an endless loop.
bool AccessTokens::Refused(std::uint64_t generation) {
  MutexLock lock(mutex_);
  if (generation != token_.generation || token_.value.empty()) return true;  // replaced already
  if (clock_.Now() < believed_until_) return false;
  token_.value = Secret();
  refused_ = true;
  return true;
}

void AccessTokens::Replace(Secret client_secret) {
  std::shared_ptr<const std::string> body = RequestBody(client_id_, client_secret);
  MutexLock lock(mutex_);
  request_body_ = std::move(body);
  outdated_ = fetching_;
  refresh_at_ = retry_at_ = MonoTime::min();
  failures_ = 0;
}

void AccessTokens::Fetch() {
  if (events_.fetching) events_.fetching();
  const MonoTime now = clock_.Now();
  http::Request request;
  request.lane = http::Lane::kRead;  // nothing is billed
  request.purpose = "token";
  request.method = "POST";
  request.path = kTokenPath;
  request.headers = {{"User-Agent", user_agent_},
                     {"Accept", "application/json"},
                     {"Content-Type", "application/json"}};
  {
    MutexLock lock(mutex_);
    request.body = request_body_;
  }
  request.may_repeat = [] { return false; };
  request.timeout = limits::kTokenTimeout;
  request.start_by = now + limits::kTokenTimeout;
  request.max_body_bytes = limits::kTokenReplyMaxBytes;
  transport_.Start(std::move(request), [this, now](const http::Response& response) {
    for (int i = 0; i < response.repeats && events_.fetching; ++i) events_.fetching();
    OnReply(now, ReadTokenReply(response, clock_.WallNow()));
  });
}

void AccessTokens::OnReply(MonoTime asked_at, const TokenReply& reply) {
  const bool good = reply.kind == TokenReply::Kind::kToken;
  absl::StatusOr<Authorization> answer = Authorization{};
  std::vector<Ready> waiting;
  bool again = false;
  {
    MutexLock lock(mutex_);
    again = std::exchange(outdated_, false);
  }
  if (again) return Fetch();  // who waits goes on waiting, for the token of the new secret
  {
    MutexLock lock(mutex_);
    fetching_ = false;
    waiting.swap(waiting_);
    if (good) {
      Keep(asked_at, reply);
      answer = token_;
    } else {
      NoteFailure(reply);
      answer = TokenError(reply, retry_at_ - clock_.Now());
    }
  }
  if (events_.fetched) events_.fetched(answer.status(), reply.life);
  for (Ready& ready : waiting) ready(answer);
}

void AccessTokens::Keep(MonoTime asked_at, const TokenReply& reply) {
  token_ = {.value = reply.token, .user_id = user_id_, .generation = token_.generation + 1};
  expires_at_ = asked_at + reply.life;
  refresh_at_ = expires_at_ - std::min<Duration>(limits::kTokenRefreshBefore, reply.life / 4);
  believed_until_ =
      std::exchange(refused_, false) ? clock_.Now() + limits::kTokenRefusedRetry : MonoTime::min();
  failures_ = 0;
  retry_at_ = MonoTime::min();
}

// The present token stays in use: a renewal ahead of time has failed, not the token.
void AccessTokens::NoteFailure(const TokenReply& reply) {
  failure_ = reply;
  retry_at_ = clock_.Now() + PauseAfter(reply, ++failures_);
}

}  // namespace gateway::pictory
