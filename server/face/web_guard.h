// The WebGuard keeps pages in browsers out that nobody has allowed: each of them can send requests
// to any port that its visitor's machine reaches, loopback included, and some of those cost money.
//
// A browser says in Origin, and where it may in Sec-Fetch-Site, that a page sends the request. A
// page whose own name was made to stand for this address is of the same origin to its browser; it
// is told by its Host. A link to the board may stand on any page: who follows it sees the board,
// and the page does not. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "http/server_message.h"

namespace gateway::face {

struct WebRules {
  std::vector<std::string> origins;  // `https://app.example.com`, of pages that may call
  std::vector<std::string> hosts;    // names of the listeners, besides localhost and addresses
};

// Where a page may be from that sends an allowed request.
struct WebVerdict {
  absl::Status refusal;
  std::string origin{};  // is to be told that it may read the answer; empty: nobody is
};

WebVerdict Judge(const http::ServerRequest& request, const WebRules& rules);

// Whether a text can be an origin, as browsers write them.
bool IsOrigin(std::string_view text);

}  // namespace gateway::face
