// An Authenticator tells who calls. Pictory knows API keys, and access tokens of its older
// generations; both stand in Authorization as they are.
//
// "Bearer " before a key is a mistake that Pictory documents, and is refused. Before a token it is
// taken, because one of Pictory's pages shows it and many programs send it; Pictory's own programs
// leave it out. X-Pictory-User-Id (or, as some pages call it, X-Pictory-Customer-Id) may accompany
// a token: the first of these generations sends it, the second does not. The header is counted, and
// never required.
//
// An Authenticator is single-threaded. Tokens live in memory only: they end with the process.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "http/server_message.h"
#include "sandbox/api_reply.h"

namespace gateway::sandbox {

struct AuthOptions {
  // The one key that is accepted. Empty: every `pictai_…` key but those with "bad" in them.
  std::string api_key;
  // The one pair that gets tokens. Where one of the two is empty, any text without "bad" in it will
  // do.
  std::string client_id;
  std::string client_secret;
  std::chrono::seconds token_lifetime{3600};
  // The key and the client id are accepted with `_NAME` behind them, too. Each name is an account,
  // and sees its own jobs only.
  bool accounts = false;
};

// What a call was let in by.
enum class Credential { kKey, kToken, kTokenAndUser };
const char* Name(Credential credential);

class Authenticator {
 public:
  // How many tokens there are at once; beyond that the oldest ends early.
  static constexpr std::size_t kTokensMax = 10'000;

  // `clock` must outlive the Authenticator.
  Authenticator(AuthOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  // What the request proves itself by; nullopt if Pictory answers 401.
  std::optional<Credential> Identify(const http::ServerRequest& request) const;
  // The account of a request that has proved itself; "" is that of the bare key and client id.
  std::string AccountOf(const http::ServerRequest& request) const;
  // Answers POST /v1/oauth2/token, whose body is {"client_id": …, "client_secret": …}, or a form of
  // the two, as OAuth has it.
  ApiReply IssueToken(std::string_view body);

 private:
  // What stands for an account behind `known`; empty if nothing does.
  std::string NameBehind(std::string_view known, std::string_view given) const;
  bool IsKey(std::string_view credential) const;
  bool IsToken(std::string_view credential) const;
  void Forget();

  const AuthOptions options_;
  const Clock& clock_;
  struct Token {
    MonoTime ends;
    std::string account;
  };
  std::unordered_map<std::string, Token> tokens_;  // by its text
  std::deque<std::string> issued_;                 // oldest first
};

// Whether the bot filter in front of Pictory lets this client pass: it wants a User-Agent that is
// not a bare script's.
bool PassesBotFilter(const http::ServerRequest& request);

}  // namespace gateway::sandbox
