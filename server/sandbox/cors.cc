#include "sandbox/cors.h"

#include <string>
#include <string_view>

namespace gateway::sandbox {
namespace {

// The origin of a page that this machine serves; null: the request comes from none.
const std::string* PageHere(const http::ServerRequest& request) {
  const std::string* const origin = request.FindHeader("origin");
  if (origin == nullptr) return nullptr;
  std::string_view host = *origin;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!host.starts_with(scheme)) continue;
    host.remove_prefix(scheme.size());
    if (const std::size_t colon = host.find(':', host.find(']') == host.npos ? 0 : host.find(']'));
        colon != host.npos) {
      host = host.substr(0, colon);
    }
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]" ? origin : nullptr;
  }
  return nullptr;
}

}  // namespace

bool IsPreflight(const http::ServerRequest& request) {
  return request.method == "OPTIONS" &&
         request.FindHeader("access-control-request-method") != nullptr;
}

http::ServerResponse AnswerPreflight(const http::ServerRequest& request) {
  http::ServerResponse response;
  response.status = 204;
  AllowPage(request, response);
  if (PageHere(request) == nullptr) return response;
  response.headers.push_back({"Access-Control-Allow-Methods", "GET, POST, PUT, DELETE"});
  if (const std::string* const asked = request.FindHeader("access-control-request-headers")) {
    response.headers.push_back({"Access-Control-Allow-Headers", *asked});
  }
  response.headers.push_back({"Access-Control-Max-Age", "600"});
  return response;
}

void AllowPage(const http::ServerRequest& request, http::ServerResponse& response) {
  const std::string* const origin = PageHere(request);
  if (origin == nullptr) return;
  response.headers.push_back({"Access-Control-Allow-Origin", *origin});
  response.headers.push_back({"Vary", "Origin"});
}

}  // namespace gateway::sandbox
