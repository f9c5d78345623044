// What the tests of http::Server share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/server.h"
#include "sandbox/plain_client.h"

namespace gateway::http::test {

using gateway::test::PlainClient;
using gateway::test::PlainReply;
using gateway::test::PlainRequest;
using End = Delivery::End;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline std::unique_ptr<Server> Listen(ServerOptions options = {}) {
  auto server = Server::Listen(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

inline std::unique_ptr<Server> Serve(Server::Handler handler, ServerOptions options = {}) {
  auto server = Listen(std::move(options));
  server->Serve(std::move(handler));
  return server;
}

inline ServerResponse Plain(std::string text) {
  return TextResponse(200, "text/plain", std::move(text));
}

inline Server::Handler Always(const std::string& text, Delivery delivery = {}) {
  return [=](ServerRequest, Responder responder) { responder.Send(Plain(text), delivery); };
}

// Waits until the condition holds; false after ten seconds.
template <typename Condition>
bool Await(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace gateway::http::test
