#include "sandbox/auth.h"

#include <cstdint>
#include <random>

#include "sandbox/json.h"

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
  const auto token = tokens_.find(*credential);
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
  const auto found = tokens_.find(std::string(credential));
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
  std::string error;
  const auto json = ParseJson(body, &error);
  if (json == nullptr || !json->IsObject()) {
    return InvalidBody({{"", "the body must be a JSON object; a form is not taken"}});
  }
  std::vector<FieldError> errors;
  FieldChecker fields(*json, "", &errors);
  for (const char* key : {"client_id", "client_secret"}) {
    if (FindText(*json, key).empty()) fields.Wrong(key, "is required and must be a string");
  }
  if (!errors.empty()) return InvalidBody(errors);
  const std::string_view id = FindText(*json, "client_id");
  const std::string account = NameBehind(options_.client_id, id);
  if ((account.empty() && !Accepts(options_.client_id, id)) ||
      !Accepts(options_.client_secret, FindText(*json, "client_secret"))) {
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
