// How a file is fetched: what is sent, where it may go, and what becomes of it when it breaks off.
#include "http/curl_fetcher.h"

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;
using What = FetchEnd::What;

// Takes everything, unless a test says otherwise.
class TakingSink final : public FetchSink {
 public:
  bool Wanted() override { return wanted; }
  bool Begin(const FetchHead& given) override {
    ++begun;
    head = given;
    return wants_it;
  }
  bool Take(std::string_view more) override {
    bytes += more;
    return bytes.size() < most;
  }
  FetchHead head;
  std::string bytes;
  int begun = 0;
  std::atomic<bool> wanted{true};
  bool wants_it = true;
  std::size_t most = 1 << 20;
};

FetchRequest Here(const ScriptedServer& server) {
  return {.url = server.url() + "/v.mp4?signed=yes", .validator = "", .loopback = true};
}

TEST(CurlFetcher, BringsTheFileAndItsHead) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, "bytes", "ETag: \"v1\"\r\n"));
  });
  TakingSink sink;
  const FetchEnd end = CurlFetcher({}).Fetch(Here(server), sink);
  EXPECT_EQ(end.what, What::kWhole) << end.problem;
  EXPECT_EQ(sink.bytes, "bytes");
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(sink.head.status, 200);
  EXPECT_EQ(sink.head.length, 5);
  EXPECT_TRUE(sink.head.ends_known);
  EXPECT_EQ(*sink.head.FindHeader("etag"), "\"v1\"");
  const ReceivedRequest sent = server.requests()[0];
  EXPECT_EQ(sent.target, "/v.mp4?signed=yes");
  EXPECT_EQ(sent.HeaderValues("accept-encoding"), "identity");
  EXPECT_EQ(sent.HeaderCount("authorization"), 0);
  EXPECT_EQ(sent.HeaderCount("range"), 0);
}

TEST(CurlFetcher, AsksForTheRestOfTheSameVersion) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(206, "es", "Content-Range: bytes 3-4/5\r\n"));
  });
  FetchRequest request = Here(server);
  request.from = 3;
  request.validator = "\"v1\"";
  TakingSink sink;
  EXPECT_EQ(CurlFetcher({}).Fetch(request, sink).what, What::kWhole);
  EXPECT_EQ(server.requests()[0].HeaderValues("range"), "bytes=3-");
  EXPECT_EQ(server.requests()[0].HeaderValues("if-range"), "\"v1\"");
  EXPECT_EQ(sink.bytes, "es");
}

TEST(CurlFetcher, ABodyThatBreaksOffIsNotWhole) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.Close();
  });
  TakingSink sink;
  const FetchEnd end = CurlFetcher({}).Fetch(Here(server), sink);
  EXPECT_EQ(end.what, What::kBroken);
  EXPECT_EQ(sink.bytes, "some");
  EXPECT_NE(end.problem, "");
}

TEST(CurlFetcher, WhereTheEndCannotBeToldTheHeadSaysSo) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.Send(request.index == 0 && request.target == "/chunked"
                        ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\n\r\na");
    connection.Close();
  });
  TakingSink open_ended;
  CurlFetcher({}).Fetch(Here(server), open_ended);
  EXPECT_FALSE(open_ended.head.ends_known);
  TakingSink chunked;
  FetchRequest request = Here(server);
  request.url = server.url() + "/chunked";
  EXPECT_EQ(CurlFetcher({}).Fetch(request, chunked).what, What::kWhole);
  EXPECT_TRUE(chunked.head.ends_known);
  EXPECT_EQ(chunked.bytes, "a");
}

TEST(CurlFetcher, APageAboutAnErrorIsNotTheFile) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(403, "<Error>Request has expired</Error>"));
  });
  TakingSink sink;
  const FetchEnd end = CurlFetcher({}).Fetch(Here(server), sink);
  EXPECT_EQ(end.what, What::kWhole);
  EXPECT_EQ(end.head.status, 403);
  EXPECT_EQ(sink.begun, 0);
  EXPECT_EQ(sink.bytes, "");
}

// Its body is of no use, so nobody waits for it, whether it never comes or never ends.
TEST(CurlFetcher, NobodyWaitsForABodyThatIsThrownAway) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.Send(request.target == "/redirect"
                        ? "HTTP/1.1 302 Found\r\nLocation: there.mp4?a=b#c\r\n"
                          "Content-Length: 100\r\n\r\n<html>"
                        : "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                          "HTTP/1.1 404 Not Found\r\nX-Of: 404\r\nContent-Length: 100\r\n\r\n");
    connection.Hold();
  });
  TakingSink sink;
  const FetchEnd missing = CurlFetcher({}).Fetch(Here(server), sink);
  EXPECT_EQ(missing.what, What::kWhole) << missing.problem;
  EXPECT_EQ(missing.head.status, 404);
  EXPECT_EQ(*missing.head.FindHeader("x-of"), "404");
  FetchRequest request = Here(server);
  request.url = server.url() + "/redirect";
  const FetchEnd moved = CurlFetcher({}).Fetch(request, sink);
  EXPECT_EQ(moved.what, What::kWhole) << moved.problem;
  EXPECT_EQ(moved.head.location, server.url() + "/there.mp4?a=b");
  EXPECT_EQ(sink.begun, 0);
}

TEST(CurlFetcher, ABodyThatTricklesIsLeft) {
  constexpr int kPieces = 2000;
  const std::string piece(limits::kFetchLeastBytes / 100, 'x');
  std::atomic<bool> left{false};
  ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < kPieces && !left; ++i) {
      connection.Send(piece);
      std::this_thread::sleep_for(milliseconds(50));  // its pace
    }
  });
  TakingSink sink;
  EXPECT_EQ(CurlFetcher({.stall_timeout = seconds(1)}).Fetch(Here(server), sink).what,
            What::kBroken);
  left = true;
  EXPECT_LT(sink.bytes.size(), kPieces / 2 * piece.size());
}

// Callers read the problem.
TEST(CurlFetcher, WhatNamesOurInsideIsBesideTheProblem) {
  TakingSink sink;
  FetchRequest request{.url = "https://files.example.com/v.mp4", .validator = ""};
  const FetchEnd end =
      CurlFetcher({.ca_file = "", .proxy = "http://127.0.0.1:1"}).Fetch(request, sink);
  EXPECT_EQ(end.what, What::kBroken);
  EXPECT_THAT(end.problem, testing::Not(HasSubstr("127.0.0.1")));
  EXPECT_THAT(end.detail, HasSubstr("127.0.0.1"));
}

TEST(CurlFetcher, FollowsNothingAndTellsWhereItLeads) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(302, "", "Location: /elsewhere.mp4\r\n"));
  });
  TakingSink sink;
  const FetchEnd end = CurlFetcher({}).Fetch(Here(server), sink);
  EXPECT_EQ(end.head.status, 302);
  EXPECT_EQ(end.head.location, server.url() + "/elsewhere.mp4");
  EXPECT_EQ(server.request_count(), 1);
}

// The name was checked, but what it leads to is known only now.
TEST(CurlFetcher, ConnectsToNothingInside) {
  ScriptedServer server(Ok, ScriptedServer::Tls::kForLoopback);
  TakingSink sink;
  FetchRequest request = Here(server);
  request.loopback = false;
  const FetchEnd end = CurlFetcher({}).Fetch(request, sink);
  EXPECT_EQ(end.what, What::kInside);
  EXPECT_EQ(server.connection_count(), 0);
}

TEST(CurlFetcher, PlainHttpIsForThisMachineAlone) {
  ScriptedServer server(Ok);
  TakingSink sink;
  FetchRequest request = Here(server);
  request.loopback = false;
  EXPECT_EQ(CurlFetcher({}).Fetch(request, sink).what, What::kBroken);
  EXPECT_EQ(server.connection_count(), 0);
}

TEST(CurlFetcher, TheSinkEndsIt) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.Hold();
  });
  TakingSink refuses;
  refuses.wants_it = false;
  EXPECT_EQ(CurlFetcher({}).Fetch(Here(server), refuses).what, What::kStopped);
  TakingSink full;
  full.most = 1;
  EXPECT_EQ(CurlFetcher({}).Fetch(Here(server), full).what, What::kStopped);
  TakingSink stopped;
  stopped.wanted = false;
  EXPECT_EQ(CurlFetcher({}).Fetch(Here(server), stopped).what, What::kStopped);
}

TEST(CurlFetcher, AServerThatGoesQuietIsLeft) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.Hold();
  });
  TakingSink sink;
  EXPECT_EQ(CurlFetcher({.stall_timeout = seconds(1)}).Fetch(Here(server), sink).what,
            What::kBroken);
}

}  // namespace
}  // namespace gateway::http::test
