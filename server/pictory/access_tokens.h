// AccessTokens gets the access tokens of one Pictory account for its client credentials, keeps
// them, and renews them.
//
// There is one fetch at a time, whoever waits for it. A token is renewed a little before its end,
// while it still serves, and after a 401. Where a fetch fails, the next one waits, longer each
// time; so does one whose token is refused as soon as it is used: the endpoint is never hammered. A
// fetch begins only when somebody asks for an Authorization.
//
// Thread-safe. `fetching` and `fetched` run on the threads of callers and transport, under no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "http/transport.h"
#include "pictory/credentials.h"
#include "pictory/token_reply.h"

namespace gateway::pictory {

struct OAuthOptions {
  std::string client_id;
  Secret client_secret;
  std::string user_id;  // empty for accounts that need none
};

struct TokenEvents {
  std::function<void()> fetching;
  // A fetch has ended: OK with the token's life, or why there is no token.
  std::function<void(const absl::Status&, Duration life)> fetched;
};

class AccessTokens final : public Credentials {
 public:
  // `transport` and `clock` must outlive the object, and the object every fetch still in flight.
  AccessTokens(OAuthOptions options, std::string user_agent, TokenEvents events,
               http::HttpTransport& transport, const Clock& clock);

  void Authorize(Ready ready) override;
  bool Refused(std::uint64_t generation) override;
  // The present token goes on serving while the first one for the new secret is fetched.
  void Replace(Secret client_secret) override;

 private:
  void Fetch();
  void OnReply(MonoTime asked_at, const TokenReply& reply);
  bool HasToken(MonoTime now) const REQUIRES(mutex_) {
    return !token_.value.empty() && now < expires_at_;
  }
  void Keep(MonoTime asked_at, const TokenReply& reply) REQUIRES(mutex_);
  void NoteFailure(const TokenReply& reply) REQUIRES(mutex_);

  const std::string client_id_;
  const std::string user_id_;
  const std::string user_agent_;
  const TokenEvents events_;
  http::HttpTransport& transport_;
  const Clock& clock_;

  Mutex mutex_;
  std::shared_ptr<const std::string> request_body_ GUARDED_BY(mutex_);  // holds the client secret
  Authorization token_ GUARDED_BY(mutex_);                              // value empty: none
  MonoTime refresh_at_ GUARDED_BY(mutex_);
  MonoTime expires_at_ GUARDED_BY(mutex_);
  // Set if the present token was fetched in place of a refused one: until then a refusal of this
  // one, too, is Pictory's word on the account.
  MonoTime believed_until_ GUARDED_BY(mutex_) = MonoTime::min();
  bool refused_ GUARDED_BY(mutex_) = false;  // the token to come replaces a refused one
  bool fetching_ GUARDED_BY(mutex_) = false;
  bool outdated_ GUARDED_BY(mutex_) =
      false;  // the fetch under way is one of a secret replaced since
  std::vector<Ready> waiting_ GUARDED_BY(mutex_);
  int failures_ GUARDED_BY(mutex_) = 0;  // in a row
  TokenReply failure_ GUARDED_BY(mutex_);
  MonoTime retry_at_ GUARDED_BY(mutex_) = MonoTime::min();
};

}  // namespace gateway::pictory
