#include "sandbox/auth.h"

namespace gateway::sandbox {

std::optional<Account> Authenticator::Identify(const http::ServerRequest& request) const {
  const std::string* credential = request.FindHeader("authorization");
  if (credential != nullptr && IsKey(*credential)) return Account{"sandbox"};
  return std::nullopt;
}

bool Authenticator::IsKey(std::string_view credential) const {
  if (!api_key_.empty()) return credential == api_key_;
  constexpr std::string_view kPrefix = "pictai_";
  return credential.size() > kPrefix.size() && credential.substr(0, kPrefix.size()) == kPrefix &&
         credential.find("bad") == std::string_view::npos;
}

bool PassesBotFilter(const http::ServerRequest& request) {
  const std::string* agent = request.FindHeader("user-agent");
  return agent != nullptr && !agent->empty() && agent->rfind("Python-urllib", 0) != 0;
}

}  // namespace gateway::sandbox
