// Heads that programs in front may read differently: each is refused, and what follows it on the
// connection is never taken for another request.
#include "http/server_request_head.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

constexpr char kSmuggled[] = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HeadTest : public testing::Test {
 protected:
  // The status of the answer to these bytes, which a second request follows; 0: there was none. The
  // second request must not be answered unless the first was.
  int StatusOf(const std::string& bytes) {
    PlainClient client(server_->port());
    client.Send(bytes + kSmuggled);
    const int status = client.Read().status;
    if (status != 200) {
      EXPECT_TRUE(client.AwaitEnd()) << bytes;
    }
    return status;
  }
  static std::string Post(const std::string& headers, const std::string& body = "") {
    return "POST /first HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
  }

  std::atomic<int> smuggled_{0};
  std::unique_ptr<Server> server_ = Serve([this](ServerRequest request, Responder responder) {
    if (request.path == "/smuggled") ++smuggled_;
    responder.Send(Plain(request.body));
  });
};

TEST_F(HeadTest, GoodOnesAreServed) {
  for (const std::string& good :
       {Post("Content-Length: 3\r\n", "abc"), Post("content-length:3\r\n", "abc"), Post(""),
        Post("Content-Length: 0\r\n"), Post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        Post("transfer-encoding:  CHUNKED \r\n", "3\r\nabc\r\n0\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost:\tLOCALHOST.:80\r\n\r\n")}) {
    EXPECT_EQ(StatusOf(good), 200) << good;
  }
}

TEST_F(HeadTest, WhatFramesABodyTwiceOrOddlyIsRefused) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string empty = "0\r\n\r\n";
  for (const std::string& bad :
       {Post("Transfer-Encoding: xchunked\r\n", empty),
        Post("Transfer-Encoding: chunked, identity\r\n", empty),
        Post("Transfer-Encoding: identity\r\n", empty),
        Post("Transfer-Encoding: gzip, chunked\r\n", empty),
        Post("Transfer-Encoding: chunked, chunked\r\n", empty),
        Post("Transfer-Encoding: \"chunked\"\r\n", empty),
        Post("Transfer-Encoding: chunked;a=b\r\n", empty),
        Post("Transfer-Encoding:\r\n", empty),
        Post("Transfer-Encoding: \x0b"
             "chunked\r\n",
             empty),
        Post(chunked + chunked, empty),
        Post("Transfer-Encoding: identity\r\n" + chunked, empty),
        Post(chunked + "Transfer-Encoding: identity\r\n", empty),
        Post(chunked + "Content-Length: 5\r\n", empty),
        Post("Content-Length: 5\r\n" + chunked, empty),
        Post("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", empty),
        Post("Transfer-Encoding : chunked\r\n", empty),
        Post(" Transfer-Encoding: chunked\r\n", empty),
        Post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
        Post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
        Post("Content-Length: 3, 3\r\n", "abc"),
        Post("Content-Length: 3,\r\n", "abc"),
        Post("Content-Length: +3\r\n", "abc"),
        Post("Content-Length: -3\r\n", "abc"),
        Post("Content-Length: 0x3\r\n", "abc"),
        Post("Content-Length: 3 \x0b\r\n", "abc"),
        Post("Content-Length: 3.0\r\n", "abc"),
        Post("Content-Length: a\r\n", "abc"),
        Post("Content-Length:\r\n", "abc"),
        Post("Content-Length : 3\r\n", "abc"),
        Post("Content-Length: 99999999999999999999999\r\n", "abc"),
        std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")}) {
    const int status = StatusOf(bad);
    EXPECT_TRUE(status == 400 || status == 421 || status == 501) << status << " " << bad;
  }
  EXPECT_EQ(smuggled_, 0);
}

TEST_F(HeadTest, LinesEndAsTheyMust) {
  for (const std::string& bad :
       {std::string("GET / HTTP/1.1\nHost: localhost\n\n"),
        std::string("GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 43)}) {
    EXPECT_EQ(StatusOf(bad), 400) << bad;
  }
  EXPECT_EQ(smuggled_, 0);
}

// RFC 9112 lets a server read a folded line as one with blanks; what it folds is checked all the
// same.
TEST_F(HeadTest, AFoldedLineIsReadAsOne) {
  EXPECT_EQ(StatusOf(Post("X: a\r\n b\r\n")), 200);
  const int status = StatusOf(Post("Transfer-Encoding: x\r\n chunked\r\n", "0\r\n\r\n"));
  EXPECT_TRUE(status == 400 || status == 501) << status;
  EXPECT_EQ(StatusOf(Post("Content-Length: 3\r\n 3\r\n", "abc")), 400);
}

TEST_F(HeadTest, TheTargetIsAPathOrAUrlOfOurs) {
  const auto status = [this](const std::string& target) {
    return StatusOf("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  };
  for (const std::string bad :
       {"*", "a", "localhost:80", "ftp://localhost/", "http:///a", "://a/"}) {
    EXPECT_EQ(status(bad), 400) << bad;
  }
  // What a URL names goes before Host.
  EXPECT_EQ(status("https://elsewhere.test/a"), 421);
  EXPECT_EQ(smuggled_, 0);
  EXPECT_EQ(status("http://localhost/"), 200);
}

TEST_F(HeadTest, ThereIsOneHost) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), 400);
  PlainClient old(server_->port());
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Read().status, 200);
}

TEST(OwnHost, IsAnAddressLocalhostOrNamed) {
  const std::vector<std::string> names = {"hooks.example.com"};
  for (const char* good :
       {"localhost", "LocalHost:8081", "localhost.", "127.0.0.1", "127.0.0.1:1", "10.1.2.3:80",
        "[::1]", "[::1]:8081", "hooks.example.com", "HOOKS.example.com.:443"}) {
    EXPECT_TRUE(IsOwnHost(good, names)) << good;
  }
  for (const char* bad :
       {"", ":80", "evil.test", "evil.test:8081", "localhost.evil.test", "127.0.0.1.evil.test",
        "xlocalhost", "example.com", "a.hooks.example.com", "localhost:", "localhost:80x", "127.1",
        "0x7f000001", "2130706433", "[::1", "[evil.test]", "::1", "user@localhost", "localhost/"}) {
    EXPECT_FALSE(IsOwnHost(bad, names)) << bad;
  }
}

// A page that has changed the address of its own name to 127.0.0.1.
TEST(ServerHost, OnLoopbackAStrangeHostIsMisdirected) {
  ServerOptions options;
  options.host_names = {"gateway.example"};
  std::atomic<int> served{0};
  auto server = Serve(
      [&served](ServerRequest, Responder responder) {
        ++served;
        responder.Send(Plain("secret"));
      },
      options);
  const auto get = [&](const std::string& host) {
    PlainClient client(server->port());
    client.Send("GET /metrics HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.Read();
  };
  const PlainReply refused = get("evil.test:" + std::to_string(server->port()));
  EXPECT_EQ(refused.status, 421);
  EXPECT_NE(refused.body.find("localhost"), std::string::npos) << refused.body;
  EXPECT_EQ(served, 0);
  EXPECT_EQ(get("gateway.example").status, 200);
  EXPECT_EQ(get("127.0.0.1").status, 200);
}

// A listener that others can reach is known under names that only they know.
TEST(ServerHost, BeyondLoopbackAnyHostWillDo) {
  ServerOptions options;
  options.address = "0.0.0.0";
  auto server = Serve(Always("ok"), options);
  PlainClient client(server->port());
  client.Send("GET / HTTP/1.1\r\nHost: gateway.namespace.svc\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
}

}  // namespace
}  // namespace gateway::http::test
