#include "face/web_guard.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "base/errors.h"
#include "http/server_request_head.h"

namespace gateway::face {
namespace {

// The origin of what this listener itself would serve.
std::string OwnOrigin(const http::ServerRequest& request) {
  return (request.peer->tls ? "https://" : "http://") + std::string(http::HostOf(request));
}

// Whether a person comes to the board by a link.
bool FollowsLink(const http::ServerRequest& request) {
  const std::string* const mode = request.FindHeader("sec-fetch-mode");
  const std::string* const target = request.FindHeader("sec-fetch-dest");
  return request.method == "GET" && http::PathOf(request) == "/" && mode != nullptr &&
         *mode == "navigate" && target != nullptr && *target == "document";
}

}  // namespace

WebVerdict Judge(const http::ServerRequest& request, const WebRules& rules) {
  // With TLS the certificate would have to be for the name; no browser reaches a unix socket.
  const bool by_name = !request.peer->tls && !request.peer->unix_socket;
  const std::string_view host = http::HostOf(request);
  if (by_name && !http::IsOwnHost(host, rules.hosts)) return {errors::HostUnknown(host)};

  const auto origins = std::count_if(request.headers.begin(), request.headers.end(),
                                     [](const auto& h) { return h.name == "origin"; });
  const std::string* const origin = request.FindHeader("origin");
  const std::string* const site = request.FindHeader("sec-fetch-site");
  if (origins > 1) return {errors::PageNotAllowed("more than one origin")};
  if (origin == nullptr) {
    // `none`: a person has typed the address, or opened a bookmark.
    const bool other = site != nullptr && *site != "none" && *site != "same-origin";
    return {other && !FollowsLink(request) ? errors::PageNotAllowed("") : absl::OkStatus()};
  }
  if (absl::EqualsIgnoreCase(*origin, OwnOrigin(request))) return {absl::OkStatus()};
  const bool allowed =
      std::find(rules.origins.begin(), rules.origins.end(), *origin) != rules.origins.end();
  if (!allowed) return {errors::PageNotAllowed(*origin)};
  return {absl::OkStatus(), *origin};
}

bool IsOrigin(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = text.substr(scheme + 3);
  if (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https") return false;
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
  });
}

}  // namespace gateway::face
