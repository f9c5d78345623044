// Who calls. Pictory knows API keys (sent raw, never after "Bearer") and OAuth tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/server_message.h"

namespace gateway::sandbox {

struct Account {
  std::string name;
};

// Each kind of credential is one step of Identify: API keys now; tokens of POST /v1/oauth2/token,
// with the user id in X-Pictory-User-Id, are the next step to be added beside them.
class Authenticator {
 public:
  // The one key that is right. Empty: every `pictai_…` key but those with "bad" in them.
  explicit Authenticator(std::string api_key) : api_key_(std::move(api_key)) {}

  // nullopt: Pictory answers 401.
  std::optional<Account> Identify(const http::ServerRequest& request) const;

 private:
  bool IsKey(std::string_view credential) const;

  const std::string api_key_;
};

// Whether the bot filter in front of Pictory lets this client pass: it wants a User-Agent that is
// not a bare script's.
bool PassesBotFilter(const http::ServerRequest& request);

}  // namespace gateway::sandbox
