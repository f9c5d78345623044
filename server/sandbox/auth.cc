#include "sandbox/auth.h"

#include <cstdint>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "sandbox/json.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

bool Accepts(const std::string& configured, std::string_view given) {
  if (!configured.empty()) return given == configured;
  return !given.empty() && given.find("bad") == std::string_view::npos;
}

// Tokens are not made from the seed: a restarted sandbox must not give out again a token that it no
// longer knows.
std::string MintToken() {
  static constexpr char kDigits[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  std::random_device device;
  std::string token = "eyJ";  // how tokens of JSON begin; nobody may look inside
  for (int i = 0; i < 8; ++i) {
    std::uint32_t bits = device();
    for (int digit = 0; digit < 5; ++digit, bits >>= 6) token += kDigits[bits % 64];
  }
  return token;
}

// The token in an Authorization header, which may be introduced by its scheme.
std::string Bare(std::string_view credential) {
  constexpr std::string_view kScheme = "Bearer ";
  if (credential.starts_with(kScheme)) credential.remove_prefix(kScheme.size());
  return std::string(credential);
}

bool IsForm(std::string_view body) {
  return body.starts_with("client_id=") || body.find("&client_id=") != std::string_view::npos;
}

// Who asks for a token; an error if the body cannot be read.
struct Asking {
  std::string id;
  std::string secret;
};
std::variant<Asking, ApiReply> WhoAsks(std::string_view body) {
  Asking asking;
  if (IsForm(body)) {
    asking = {QueryValue(body, "client_id"), QueryValue(body, "client_secret")};
  } else {
    std::string error;
    const auto json = ParseJson(body, &error);
    if (json == nullptr || !json->IsObject()) {
      return InvalidBody({{"", "the body must be a JSON object, or a form"}});
    }
    asking = {std::string(FindText(*json, "client_id")),
              std::string(FindText(*json, "client_secret"))};
  }
  std::vector<FieldError> errors;
  for (const auto& [key, value] :
       {std::pair("client_id", asking.id), std::pair("client_secret", asking.secret)}) {
    if (value.empty()) errors.push_back({key, "is required and must be a string"});
  }
  if (!errors.empty()) return InvalidBody(errors);
  return asking;
}

}  // namespace

const char* Name(Credential credential) {
  switch (credential) {
    case Credential::kKey:
      return "key";
    case Credential::kToken:
      return "token";
    case Credential::kTokenAndUser:
      return "token and user id";
  }
  return "";
}

std::optional<Credential> Authenticator::Identify(const http::ServerRequest& request) const {
  const std::string* credential = request.FindHeader("authorization");
  if (credential == nullptr) return std::nullopt;
  if (IsKey(*credential)) return Credential::kKey;
  if (!IsToken(*credential)) return std::nullopt;
  const bool user = request.FindHeader("x-pictory-user-id") != nullptr ||
                    request.FindHeader("x-pictory-customer-id") != nullptr;
  return user ? Credential::kTokenAndUser : Credential::kToken;
}

std::string Authenticator::AccountOf(const http::ServerRequest& request) const {
  const std::string* credential = request.FindHeader("authorization");
  if (credential == nullptr) return "";
  const auto token = tokens_.find(Bare(*credential));
  return token != tokens_.end() ? token->second.account : NameBehind(options_.api_key, *credential);
}

std::string Authenticator::NameBehind(std::string_view known, std::string_view given) const {
  if (!options_.accounts || known.empty() || !given.starts_with(known)) return "";
  given.remove_prefix(known.size());
  return given.starts_with('_') ? std::string(given.substr(1)) : "";
}

bool Authenticator::IsKey(std::string_view credential) const {
  if (!options_.api_key.empty()) {
    return credential == options_.api_key || !NameBehind(options_.api_key, credential).empty();
  }
  constexpr std::string_view kPrefix = "pictai_";
  return credential.size() > kPrefix.size() && credential.substr(0, kPrefix.size()) == kPrefix &&
         credential.find("bad") == std::string_view::npos;
}

bool Authenticator::IsToken(std::string_view credential) const {
  const auto found = tokens_.find(Bare(credential));
  return found != tokens_.end() && clock_.Now() < found->second.ends;
}

void Authenticator::Forget() {
  while (!issued_.empty() &&
         (issued_.size() >= kTokensMax || tokens_.at(issued_.front()).ends <= clock_.Now())) {
    tokens_.erase(issued_.front());
    issued_.pop_front();
  }
}

ApiReply Authenticator::IssueToken(std::string_view body) {
  std::variant<Asking, ApiReply> who = WhoAsks(body);
  if (std::holds_alternative<ApiReply>(who)) return std::get<ApiReply>(std::move(who));
  const Asking& asking = std::get<Asking>(who);
  const std::string account = NameBehind(options_.client_id, asking.id);
  if ((account.empty() && !Accepts(options_.client_id, asking.id)) ||
      !Accepts(options_.client_secret, asking.secret)) {
    return Unauthorized();
  }
  Forget();
  const std::string token = MintToken();
  tokens_[token] = {clock_.Now() + options_.token_lifetime, account};
  issued_.push_back(token);
  JsonOut out;
  out.Object().Field("access_token", token).Field("expires_in", options_.token_lifetime.count());
  return {200, out.Field("token_type", "Bearer").EndObject().Take()};
}

bool PassesBotFilter(const http::ServerRequest& request) {
  const std::string* agent = request.FindHeader("user-agent");
  return agent != nullptr && !agent->empty() && agent->rfind("Python-urllib", 0) != 0;
}

}  // namespace gateway::sandbox
