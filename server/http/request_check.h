// These pure checks of a base URL and of a request tell what may be put on the wire.
//
// libcurl writes CR LF inside a header line as it stands, drops a URL's fragment and resolves dot
// segments; so everything that could become another request than the one meant is refused here.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/transport.h"

namespace gateway::http {

struct BaseUrl {
  std::string text;  // normalised, without a trailing '/': a path is appended
  bool tls = true;
};

// INVALID_ARGUMENT with the reason in words. Plain http passes only if allowed and only to a
// loopback address or "localhost" (which libcurl never looks up).
absl::StatusOr<BaseUrl> ParseBaseUrl(const std::string& url, bool allow_plain_http);

// Empty if the request may be sent, else why not. Never quotes a header's value.
std::string CheckRequest(const Request& request);

// Whether a value may stand in a header: it has no control character but tabs.
bool IsHeaderValue(std::string_view value);

}  // namespace gateway::http
