// HttpDoor serves agents over HTTP, as the protocol's Streamable HTTP has it: each POST to /mcp is
// one message, answered as JSON. It keeps no sessions and opens no streams, so it asks nothing of
// agents that speak a version before 2026-07-28.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "face/web_guard.h"
#include "http/server.h"
#include "mcp/server.h"
#include "mcp/workers.h"

namespace gateway::mcp {

// What a POST is answered, but for who sends it: pure as far as the server is.
http::ServerResponse AnswerPost(Server& server, const http::ServerRequest& request);

class HttpDoor {
 public:
  struct Options {
    std::string host;  // an IP address, or localhost
    std::uint16_t port = 0;
    face::WebRules rules;
  };

  // `server` must outlive it.
  static absl::StatusOr<std::unique_ptr<HttpDoor>> Listen(Options options, Server& server);
  ~HttpDoor();

  // `http://127.0.0.1:8808/mcp`
  std::string url() const;

 private:
  HttpDoor(Options options, Server& server, std::unique_ptr<http::Server> listener);

  void Take(http::ServerRequest request, const http::Responder& responder);

  const face::WebRules rules_;
  Server& server_;
  std::unique_ptr<http::Server> listener_;
  Workers workers_;
};

}  // namespace gateway::mcp
