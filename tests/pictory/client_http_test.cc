// The client and its access tokens over real HTTP, with the transport the program uses.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

#include "http/curl_transport.h"
#include "pictory/client.h"
#include "support/scripted_server.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::HttpReply;
using test::ReceivedRequest;
using test::ScriptedConnection;

TEST(ClientOverHttp, ManyPollsWithAnEndedTokenGetOneNewOne) {
  constexpr int kPolls = 20;
  std::atomic<int> tokens{0};
  std::atomic<int> valid{0};
  test::ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (request.target == "/pictoryapis/v1/oauth2/token") {
      valid = ++tokens;
      connection.Send(HttpReply(200, R"({"access_token":"token-)" + std::to_string(tokens) +
                                         R"(","expires_in":3600,"token_type":"Bearer"})"));
    } else if (request.HeaderValues("Authorization") != "token-" + std::to_string(valid)) {
      connection.Send(HttpReply(401, R"({"message":"Unauthorized"})"));
    } else {
      connection.Send(HttpReply(200, R"({"success":true,"data":{"status":"in-progress"}})"));
    }
  });
  http::CurlTransportOptions options;
  options.base_url = server.url() + "/pictoryapis";
  options.allow_plain_http = true;
  auto transport = http::CurlTransport::Create(std::move(options));
  ASSERT_TRUE(transport.ok()) << transport.status();
  SystemClock clock;
  PictoryClient client({.api_key = Secret(),
                        .user_agent = "agent/1",
                        .oauth = OAuthOptions{"the-id", Secret("the-secret"), "the-user"}},
                       **transport, clock);
  const auto poll_all = [&] {
    std::vector<std::promise<JobReply::Kind>> answers(kPolls);
    for (auto& answer : answers) {
      client.GetJob("job", v1::JOB_KIND_RENDER, 0,
                    [&answer](const JobReply& reply) { answer.set_value(reply.kind); });
    }
    for (auto& answer : answers) EXPECT_EQ(answer.get_future().get(), JobReply::Kind::kRunning);
  };
  poll_all();
  EXPECT_EQ(tokens, 1);
  valid = -1;
  poll_all();
  EXPECT_EQ(tokens, 2);

  for (const ReceivedRequest& request : server.requests()) {
    if (request.target == "/pictoryapis/v1/oauth2/token") {
      EXPECT_EQ(request.method, "POST");
      EXPECT_EQ(request.body, R"({"client_id":"the-id","client_secret":"the-secret"})");
      EXPECT_EQ(request.HeaderValues("Content-Type"), "application/json");
      EXPECT_EQ(request.HeaderCount("Authorization"), 0);
    } else {
      EXPECT_EQ(request.HeaderValues("X-Pictory-User-Id"), "the-user");
      EXPECT_EQ(request.HeaderCount("Authorization"), 1);
    }
  }
  transport->reset();
}

}  // namespace
}  // namespace gateway::pictory
