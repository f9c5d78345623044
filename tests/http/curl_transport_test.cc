// What goes on the wire, and what the transport says became of it.
#include "http/curl_transport.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Answers "first" with keep-alive. Reads the whole of the first "second", then closes without a
// word; would answer a repetition.
int SecondPostsOnTheWire(PaidGuards guards, Response* second) {
  std::atomic<int> seconds_seen{0};
  ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (request.body == "second" && ++seconds_seen == 1) return connection.Close();
    connection.Send(HttpReply(200, "ok"));
  });
  CurlTransportOptions options = OptionsFor(server.url());
  options.paid_guards = guards;
  auto transport = MustCreate(options);
  EXPECT_EQ(Fetch(*transport, Post("/job", "first")).outcome, Outcome::kComplete);
  *second = Fetch(*transport, Post("/job", "second"));
  const auto requests = server.requests();
  const bool reuses = guards == PaidGuards::kSingleSendOnly || guards == PaidGuards::kNone;
  EXPECT_EQ(requests[1].connection, reuses ? 0 : 1);
  return seconds_seen;
}

TEST(PaidOnce, EachGuardAloneKeepsThePostFromBeingRepeated) {
  for (PaidGuards guards :
       {PaidGuards::kBoth, PaidGuards::kFreshConnectionOnly, PaidGuards::kSingleSendOnly}) {
    SCOPED_TRACE(static_cast<int>(guards));
    Response second;
    EXPECT_EQ(SecondPostsOnTheWire(guards, &second), 1);
    EXPECT_EQ(second.outcome, Outcome::kUnknown);
    EXPECT_EQ(second.status, 0);
    EXPECT_THAT(second.error, Not(IsEmpty()));
  }
}

// Shows that the test above can fail. With a libcurl that no longer repeats, delete this one.
TEST(PaidOnce, WithoutGuardsLibcurlRepeatsIt) {
  Response second;
  EXPECT_EQ(SecondPostsOnTheWire(PaidGuards::kNone, &second), 2);
  EXPECT_EQ(second.outcome, Outcome::kComplete);
}

TEST(PaidOnce, EveryPaidRequestHasItsOwnConnectionAndReadsShareOne) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, "ok"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  for (int i = 0; i < 3; ++i) Fetch(*transport, Post("/job", "x"));
  EXPECT_EQ(server.connection_count(), 3);
  for (int i = 0; i < 3; ++i) Fetch(*transport, Get("/job"));
  EXPECT_EQ(server.connection_count(), 4);
  const TransportStats stats = transport->Stats();
  EXPECT_EQ(stats.paid.connections, 3u);
  EXPECT_EQ(stats.read.connections, 1u);
  EXPECT_EQ(stats.paid.complete, 3u);
  EXPECT_EQ(stats.read.started, 3u);
  EXPECT_EQ(stats.read.in_flight, 0u);
}

TEST(PaidOnce, AReadIsRepeatedOnADeadConnection) {
  std::atomic<int> polls{0};
  ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest&) {
    if (++polls == 2) return connection.Close();
    connection.Send(HttpReply(200, "ok"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  Fetch(*transport, Get("/job"));
  EXPECT_EQ(Fetch(*transport, Get("/job")).outcome, Outcome::kComplete);
  EXPECT_EQ(polls, 3);
}

TEST(PaidOnce, AReadThatMayNotBeRepeatedIsNot) {
  std::atomic<int> polls{0}, asked{0};
  ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest&) {
    if (++polls == 2) return connection.Close();
    connection.Send(HttpReply(200, "ok"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  Request request = Get("/job");
  request.may_repeat = [&] {
    ++asked;
    return false;
  };
  EXPECT_EQ(Fetch(*transport, request).outcome, Outcome::kComplete);
  EXPECT_EQ(asked, 0) << "nothing was repeated";
  const Response response = Fetch(*transport, request);
  EXPECT_EQ(response.outcome, Outcome::kUnknown);
  EXPECT_EQ(response.repeats, 0);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(polls, 2);
}

TEST(Wire, APostGoesOutAsItIs) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(201, "{}", "X-Id:  7 \r\nContent-Type: application/json\r\n"));
  });
  auto transport = MustCreate(OptionsFor(server.url() + "/pictoryapis/"));
  Request request = Post("/v2/video?a=b%20c", std::string(3'000'000, 'x'));
  request.headers = {{"Authorization", "key"}, {"Content-Type", "application/json"}, {"X-E", ""}};
  const Response response = Fetch(*transport, request);
  EXPECT_EQ(response.outcome, Outcome::kComplete);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(response.error, "");
  ASSERT_NE(response.FindHeader("x-id"), nullptr);
  EXPECT_EQ(*response.FindHeader("x-id"), "7");
  const auto requests = server.requests();
  ASSERT_THAT(requests, SizeIs(1));
  const ReceivedRequest& sent = requests[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/pictoryapis/v2/video?a=b%20c");
  EXPECT_THAT(sent.head, HasSubstr(" HTTP/1.1\r\n"));
  EXPECT_EQ(sent.body, *request.body);
  EXPECT_EQ(sent.HeaderValues("authorization"), "key");
  EXPECT_EQ(sent.HeaderValues("content-type"), "application/json");
  EXPECT_THAT(sent.head, HasSubstr("\r\nX-E:\r\n"));
  EXPECT_EQ(sent.HeaderCount("expect"), 0);
  EXPECT_EQ(sent.HeaderCount("cookie"), 0);
  EXPECT_THAT(sent.HeaderValues("accept-encoding"), HasSubstr("gzip"));
  EXPECT_EQ(sent.HeaderValues("user-agent"), CurlTransportOptions().user_agent);
}

TEST(Wire, MethodsWithAndWithoutBodiesOnTheSameHandle) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (request.method == "HEAD") {
      return connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    }
    if (request.method == "DELETE") return connection.Send("HTTP/1.1 204 No Content\r\n\r\n");
    connection.Send(HttpReply(200, "ok"));
  });
  CurlTransportOptions options = OptionsFor(server.url());
  options.read_in_flight = 1;
  auto transport = MustCreate(options);
  const auto body = std::make_shared<const std::string>("b");
  struct Case {
    std::string method;
    bool with_body;
    std::string content_length;
  };
  const std::vector<Case> cases = {
      {"POST", true, "1"},   {"GET", false, ""},   {"PUT", true, "1"}, {"HEAD", false, ""},
      {"DELETE", false, ""}, {"POST", false, "0"}, {"GET", true, "1"}, {"PUT", false, "0"},
      {"DELETE", true, "1"}, {"PATCH", true, "1"}, {"GET", false, ""}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    Request request = Get("/x");
    request.method = cases[i].method;
    if (cases[i].with_body) request.body = body;
    const Response response = Fetch(*transport, request);
    EXPECT_EQ(response.outcome, Outcome::kComplete) << response.error;
    EXPECT_EQ(response.status, request.method == "DELETE" ? 204 : 200);
    const ReceivedRequest sent = server.requests()[i];
    EXPECT_EQ(sent.method, cases[i].method);
    EXPECT_EQ(sent.body, cases[i].with_body ? "b" : "");
    EXPECT_EQ(sent.HeaderValues("content-length"), cases[i].content_length);
    EXPECT_EQ(sent.HeaderCount("content-type"), 0);
  }
  EXPECT_EQ(server.connection_count(), 1);
}

TEST(Wire, ACallersUserAgentReplacesOurs) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, ""));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  Request request = Get("/x");
  request.headers = {{"user-agent", "mine"}};
  Fetch(*transport, request);
  Fetch(*transport, Get("/x"));
  EXPECT_EQ(server.requests()[0].HeaderValues("user-agent"), "mine");
  EXPECT_EQ(server.requests()[1].HeaderValues("user-agent"), CurlTransportOptions().user_agent);
}

TEST(Wire, HeadersAreThoseOfEachRequestOnTheSameHandle) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, ""));
  });
  CurlTransportOptions options = OptionsFor(server.url());
  options.read_in_flight = 1;
  auto transport = MustCreate(options);
  const std::vector<std::string> tokens = {"one", "one", "two", "", "", "one"};
  for (const std::string& token : tokens) {
    Request request = Get("/x");
    if (!token.empty()) request.headers = {{"authorization", token}};
    Fetch(*transport, request);
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(server.requests()[i].HeaderValues("authorization"), tokens[i]) << i;
  }
}

TEST(Wire, WhatCouldBecomeAnotherRequestIsNotSent) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, ""));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  std::vector<Request> bad;
  for (const std::string& value : {std::string("a\r\nX-Injected: b"), std::string("a\nb"),
                                   std::string("a\rb"), std::string("a\0b", 3)}) {
    bad.push_back(Post("/x", ""));
    bad.back().headers = {{"X-Trace", value}};
    bad.push_back(Post("/x", ""));
    bad.back().headers = {{value, "x"}};
    bad.push_back(Post("/x" + value, ""));
    bad.push_back(Post("/x", ""));
    bad.back().method += value;
  }
  for (const Request& request : bad) {
    bool inside = false;
    transport->Start(request, [&](Response response) {
      inside = true;
      EXPECT_EQ(response.outcome, Outcome::kNotSent);
      EXPECT_THAT(response.error, Not(IsEmpty()));
      EXPECT_THAT(response.error, Not(HasSubstr("Injected")));
    });
    EXPECT_TRUE(inside);
  }
  EXPECT_EQ(Fetch(*transport, Get("/last")).outcome, Outcome::kComplete);
  EXPECT_EQ(server.request_count(), 1);
  EXPECT_EQ(transport->Stats().paid.not_sent, bad.size());
}

TEST(Wire, ProxiesOfTheEnvironmentAreIgnored) {
  ScriptedServer proxy([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(502, "proxy"));
  });
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, ""));
  });
  const std::vector<const char*> names = {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
                                          "all_proxy"};
  for (const char* name : names) setenv(name, proxy.url().c_str(), 1);
  setenv("no_proxy", "*", 1);
  EXPECT_EQ(Fetch(*MustCreate(OptionsFor(server.url())), Get("/x")).status, 200);
  EXPECT_EQ(proxy.connection_count(), 0);
  for (const char* name : names) unsetenv(name);

  // A configured one is used, and the environment cannot take it away either.
  CurlTransportOptions options = OptionsFor(server.url());
  options.proxy = proxy.url();
  const Response refused = Fetch(*MustCreate(options), Post("/x", "paid"));
  unsetenv("no_proxy");
  EXPECT_EQ(refused.outcome, Outcome::kNotSent);
  EXPECT_EQ(refused.status, 0);
  ASSERT_EQ(proxy.request_count(), 1);
  EXPECT_EQ(proxy.requests()[0].method, "CONNECT");
  EXPECT_EQ(server.request_count(), 1);
}

TEST(Wire, RedirectsAreAnswersLikeOthers) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(307, "moved", "Location: /elsewhere\r\n"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  for (const Request& request : {Get("/x"), Post("/x", "body")}) {
    const Response response = Fetch(*transport, request);
    EXPECT_EQ(response.outcome, Outcome::kComplete);
    EXPECT_EQ(response.status, 307);
    EXPECT_EQ(*response.FindHeader("location"), "/elsewhere");
  }
  EXPECT_EQ(server.request_count(), 2);
}

Request PostTo(std::string url, Reach reach) {
  Request request = Post("", "{}");
  request.url = std::move(url);
  request.reach = reach;
  return request;
}

TEST(WholeUrls, LeadWhereTheirReachAllows) {
  ScriptedServer server(Ok, ScriptedServer::Tls::kForLoopback);
  CurlTransportOptions options;
  options.whole_urls = true;
  const auto transport = MustCreate(options);
  const Response inside = Fetch(*transport, PostTo(server.url() + "/hook", Reach::kPublic));
  EXPECT_EQ(inside.outcome, Outcome::kNotSent);
  EXPECT_TRUE(inside.inside);
  EXPECT_EQ(server.connection_count(), 0);
  // Its certificate is not trusted; but it is connected to.
  const Response here = Fetch(*transport, PostTo(server.url() + "/hook", Reach::kAnywhere));
  EXPECT_EQ(here.outcome, Outcome::kNotSent);
  EXPECT_FALSE(here.inside);
  EXPECT_EQ(server.connection_count(), 1);
}

TEST(WholeUrls, OnThisMachineAreSentPlain) {
  ScriptedServer server(Ok);
  CurlTransportOptions options;
  options.whole_urls = true;
  const auto transport = MustCreate(options);
  EXPECT_EQ(Fetch(*transport, PostTo(server.url() + "/hook?a=b", Reach::kLoopback)).status, 200);
  ASSERT_EQ(server.request_count(), 1);
  EXPECT_EQ(server.requests()[0].target, "/hook?a=b");
  EXPECT_EQ(server.requests()[0].method, "POST");
  EXPECT_EQ(Fetch(*transport, PostTo(server.url() + "/hook", Reach::kPublic)).outcome,
            Outcome::kNotSent);
  EXPECT_EQ(server.connection_count(), 1);
}

TEST(WholeUrls, AreForATransportOfTheirOwn) {
  ScriptedServer server(Ok);
  const auto other = MustCreate(OptionsFor(server.url()));
  EXPECT_EQ(Fetch(*other, PostTo(server.url() + "/", Reach::kLoopback)).outcome, Outcome::kNotSent);
  CurlTransportOptions options;
  options.whole_urls = true;
  EXPECT_EQ(Fetch(*MustCreate(options), Post("/a", "{}")).outcome, Outcome::kNotSent);
  EXPECT_EQ(server.connection_count(), 0);
}

}  // namespace
}  // namespace gateway::http::test
