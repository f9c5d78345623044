#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "http/server_head.h"
#include "sandbox/plain_client.h"

namespace gateway::http {
namespace {

using test::PlainClient;
using test::PlainReply;
using test::PlainRequest;
using ::testing::HasSubstr;
using End = Delivery::End;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::unique_ptr<Server> Listen(ServerOptions options = {}) {
  auto server = Server::Listen(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

std::unique_ptr<Server> Serve(Server::Handler handler, ServerOptions options = {}) {
  auto server = Listen(std::move(options));
  server->Serve(std::move(handler));
  return server;
}

ServerResponse Plain(std::string text) { return TextResponse(200, "text/plain", std::move(text)); }

Server::Handler Always(const std::string& text, Delivery delivery = {}) {
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

TEST(ServerTest, HandsTheRequestOverAndKeepsTheConnection) {
  std::vector<ServerRequest> seen;
  auto server = Serve([&seen](ServerRequest request, Responder responder) {
    seen.push_back(request);
    responder.Send(Plain("got " + request.body));
  });
  PlainClient client(server->port());
  EXPECT_EQ(client.Call("POST", "/a%2Fb?x=1&y=2", "first", "X-Odd: One\r\n").body, "got first");
  const PlainReply second = client.Call("PUT", "/c", "second");
  EXPECT_EQ(second.body, "got second");
  EXPECT_EQ(second.headers.at("connection"), "keep-alive");
  server->Stop();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].method, "POST");
  EXPECT_EQ(seen[0].path, "/a%2Fb");
  EXPECT_EQ(seen[0].query, "x=1&y=2");
  EXPECT_EQ(*seen[0].FindHeader("x-odd"), "One");
  EXPECT_EQ(seen[0].remote_address, "127.0.0.1");
  EXPECT_EQ(seen[0].connection, seen[1].connection);
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto server = Serve([](ServerRequest request, Responder responder) {
    responder.Send(Plain(request.path));
  });
  PlainClient client(server->port());
  client.Send(PlainRequest("GET", "/1") + PlainRequest("POST", "/2", "body") +
              PlainRequest("GET", "/3"));
  EXPECT_EQ(client.Read().body, "/1");
  EXPECT_EQ(client.Read().body, "/2");
  EXPECT_EQ(client.Read().body, "/3");
}

TEST(ServerTest, ClosesWhenAskedTo) {
  auto server = Serve(Always("bye"));
  PlainClient client(server->port());
  const PlainReply reply = client.Call("GET", "/", "", "Connection: close\r\n");
  EXPECT_EQ(reply.body, "bye");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.AwaitEnd());
}

TEST(ServerTest, RefusesBodiesOverTheCapAndTheAnswerArrives) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  auto server = Serve(Always("taken"), options);
  PlainClient fits(server->port());
  EXPECT_EQ(fits.Call("POST", "/", std::string(1000, 'x')).status, 200);
  PlainClient told(server->port());
  EXPECT_EQ(told.Call("POST", "/", std::string(1'000'000, 'x')).status, 413);
  PlainClient chunked(server->port());
  chunked.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.Read().status, 413);
}

// Counts what it is given; tells when it goes.
class CountingSink final : public BodySink {
 public:
  struct Seen {
    std::atomic<std::size_t> bytes{0};
    std::atomic<int> answered{0};
    std::atomic<int> gone{0};
  };
  CountingSink(Seen& seen, std::size_t enough, Next first)
      : seen_(seen), enough_(enough), first_(first) {}
  ~CountingSink() override { ++seen_.gone; }
  Next Begin() override { return first_; }
  Next Take(std::string_view piece) override {
    seen_.bytes += piece.size();
    return seen_.bytes >= enough_ ? Next::kAnswer : Next::kMore;
  }
  void Answer(const Responder& responder) override {
    ++seen_.answered;
    responder.Send(Plain(std::to_string(seen_.bytes)));
  }

 private:
  Seen& seen_;
  const std::size_t enough_;
  const Next first_;
};

class SinkTest : public ::testing::Test {
 protected:
  void Serve(std::size_t enough = 1u << 30, BodySink::Next first = BodySink::Next::kMore) {
    ServerOptions options;
    options.max_body_bytes = 1000;  // does not bind a sink
    server_ = Listen(options);
    server_->Serve(Always("handler"), [=, this](const ServerRequest& head) {
      return head.method == "PUT" ? std::make_shared<CountingSink>(seen_, enough, first) : nullptr;
    });
  }
  CountingSink::Seen seen_;
  std::unique_ptr<Server> server_;
};

TEST_F(SinkTest, TakesBodiesOfAnySizeAndKeepsTheConnection) {
  Serve();
  PlainClient client(server_->port());
  EXPECT_EQ(client.Call("PUT", "/", std::string(3'000'000, 'x')).body, "3000000");
  EXPECT_EQ(client.Call("GET", "/").body, "handler");
  EXPECT_EQ(client.Call("PUT", "/", "").body, "3000000");
  client.Send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
              "2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "3000005");
  EXPECT_EQ(client.Call("POST", "/", std::string(1001, 'x')).status, 413);
}

TEST_F(SinkTest, MayAnswerBeforeTheEnd) {
  Serve(100'000);
  PlainClient client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n" +
              std::string(150'000, 'x'));
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
}

TEST_F(SinkTest, MayRefuseBeforeTheBodyIsAskedFor) {
  Serve(1, BodySink::Next::kAnswer);
  PlainClient client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().body, "0");
}

TEST_F(SinkTest, MayBreakTheConnection) {
  Serve(1, BodySink::Next::kReset);
  PlainClient client(server_->port());
  EXPECT_EQ(client.Call("PUT", "/", "x").end, PlainReply::End::kReset);
  EXPECT_EQ(seen_.answered, 0);
}

TEST_F(SinkTest, KeepsWhatCameBeforeThePeerBrokeOff) {
  Serve();
  PlainClient client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nabc");
  client.Close();
  EXPECT_TRUE(Await([&] { return seen_.gone == 1; }));
  EXPECT_EQ(seen_.bytes, 3u);
  EXPECT_EQ(seen_.answered, 0);
}

TEST(ServerTest, RefusesWhatIsNotHttp) {
  ServerOptions options;
  options.max_header_bytes = 1000;
  auto server = Serve(Always("taken"), options);
  PlainClient wide(server->port());
  EXPECT_EQ(wide.Call("GET", "/", "", "X: " + std::string(5000, 'x') + "\r\n").status, 431);
  PlainClient garbage(server->port());
  garbage.Send("\x16\x03\x01 this is no HTTP\r\n\r\n");
  EXPECT_EQ(garbage.Read().status, 400);
  PlainClient good(server->port());
  EXPECT_EQ(good.Call("GET", "/").status, 200);
}

TEST(ServerTest, SaysContinueBeforeALongBody) {
  auto server = Serve([](ServerRequest request, Responder responder) {
    responder.Send(Plain(request.body));
  });
  PlainClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  client.Send("body");
  EXPECT_EQ(client.Read().body, "body");
}

TEST(ServerTest, DropsIdleAndSlowPeers) {
  ServerOptions options;
  options.idle_timeout = milliseconds(30);
  options.read_timeout = milliseconds(30);
  auto server = Serve(Always("hi"), options);
  PlainClient silent(server->port());
  PlainClient halfway(server->port());
  halfway.Send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(silent.AwaitEnd());
  EXPECT_TRUE(halfway.AwaitEnd());
  EXPECT_TRUE(Await([&] { return server->connections_open() == 0; }));
}

TEST(ServerTest, TurnsAwayConnectionsOverTheCap) {
  ServerOptions options;
  options.max_connections = 1;
  auto server = Serve(Always("hi"), options);
  PlainClient first(server->port());
  EXPECT_EQ(first.Call("GET", "/").status, 200);
  PlainClient second(server->port());
  EXPECT_EQ(second.Read().status, 503);
  first.Close();
  EXPECT_TRUE(Await([&] { return server->connections_open() == 0; }));
  PlainClient third(server->port());
  EXPECT_EQ(third.Call("GET", "/").status, 200);
}

TEST(ServerTest, AnswersLaterAndFromOtherThreads) {
  std::vector<std::thread> threads;
  Server* raw = nullptr;
  auto server = Listen();
  raw = server.get();
  server->Serve([&](ServerRequest request, Responder responder) {
    if (request.path == "/timer") {
      raw->After(milliseconds(1), [responder] { responder.Send(Plain("timer")); });
    } else if (request.path == "/post") {
      raw->Post([responder] { responder.Send(Plain("post")); });
    } else {
      threads.emplace_back([responder] { responder.Send(Plain("thread")); });
    }
  });
  PlainClient client(server->port());
  EXPECT_EQ(client.Call("GET", "/timer").body, "timer");
  EXPECT_EQ(client.Call("GET", "/post").body, "post");
  EXPECT_EQ(client.Call("GET", "/thread").body, "thread");
  server->Stop();
  for (std::thread& thread : threads) thread.join();
}

TEST(ServerTest, OnlyTheFirstAnswerCountsAndNoneIsA500) {
  auto server = Serve([](ServerRequest request, Responder responder) {
    if (request.path == "/twice") {
      responder.Send(Plain("one"));
      responder.Send(Plain("two"));
    }
  });
  PlainClient client(server->port());
  EXPECT_EQ(client.Call("GET", "/twice").body, "one");
  EXPECT_EQ(client.Call("GET", "/never").status, 500);
  EXPECT_EQ(client.Call("GET", "/twice").body, "one");
}

TEST(ServerTest, DelaysAnAnswer) {
  Delivery delivery;
  delivery.delay = milliseconds(20);
  auto server = Serve(Always("late", delivery));
  PlainClient client(server->port());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Call("GET", "/").body, "late");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
}

TEST(ServerTest, ResetsAfterSomeBytes) {
  Delivery delivery;
  delivery.cut_after = 7;
  delivery.end = End::kReset;
  auto server = Serve(Always("never seen", delivery));
  PlainClient client(server->port());
  const PlainReply reply = client.Call("GET", "/");
  EXPECT_EQ(reply.end, PlainReply::End::kReset);
  EXPECT_LE(reply.bytes, 7u);
}

TEST(ServerTest, ClosesAfterReadingTheWholeRequest) {
  std::promise<std::string> body;
  Delivery delivery;
  delivery.cut_after = 0;
  delivery.end = End::kClose;
  auto server = Serve([&](ServerRequest request, Responder responder) {
    body.set_value(request.body);
    responder.Send(Plain("never seen"), delivery);
  });
  PlainClient client(server->port());
  const PlainReply reply = client.Call("POST", "/", std::string(100'000, 'b'));
  EXPECT_EQ(reply.end, PlainReply::End::kClosed);
  EXPECT_EQ(reply.bytes, 0u);
  EXPECT_EQ(body.get_future().get().size(), 100'000u);
}

TEST(ServerTest, TricklesAndLiesAboutTheLength) {
  Delivery trickle;
  trickle.piece_bytes = 16;
  trickle.piece_interval = milliseconds(1);
  auto slow = Serve(Always(std::string(100, 't'), trickle));
  PlainClient client(slow->port());
  EXPECT_EQ(client.Call("GET", "/").body, std::string(100, 't'));

  Delivery liar;
  liar.claimed_length = 50;
  liar.end = End::kClose;
  auto lying = Serve(Always("short", liar));
  PlainClient other(lying->port());
  const PlainReply reply = other.Call("GET", "/");
  EXPECT_EQ(reply.end, PlainReply::End::kClosed);
  EXPECT_EQ(reply.headers.at("content-length"), "50");
  EXPECT_EQ(reply.body, "short");
}

TEST(ServerTest, HangsUntilItStops) {
  Delivery hang;
  hang.cut_after = 0;
  hang.end = End::kHang;
  auto server = Serve([&](ServerRequest request, Responder responder) {
    responder.Send(Plain("x"), request.path == "/hang" ? hang : Delivery{});
  });
  PlainClient hung(server->port());
  hung.Send(PlainRequest("GET", "/hang"));
  PlainClient other(server->port());
  EXPECT_EQ(other.Call("GET", "/").status, 200);
  EXPECT_FALSE(hung.HasBytes());
  server->Stop();
  EXPECT_TRUE(hung.AwaitEnd());
}

TEST(ServerTest, LetsGoOfPeersThatLeaveBeforeTheAnswer) {
  std::vector<Responder> kept;
  auto server = Serve([&](ServerRequest, Responder responder) { kept.push_back(responder); });
  {
    PlainClient client(server->port());
    client.Send(PlainRequest("GET", "/"));
    EXPECT_TRUE(Await([&] { return server->connections_open() == 1; }));
  }
  EXPECT_TRUE(Await([&] { return server->connections_open() == 0; }));
}

TEST(ServerTest, StopsWithConnectionsTasksAndRespondersPending) {
  std::vector<Responder> kept;
  std::promise<void> got;
  auto server = Serve([&](ServerRequest, Responder responder) {
    kept.push_back(responder);
    got.set_value();
  });
  server->After(std::chrono::hours(1), [] { FAIL() << "an hour has not passed"; });
  PlainClient waiting(server->port());
  waiting.Send(PlainRequest("GET", "/"));
  PlainClient idle(server->port());
  got.get_future().wait();
  server->Stop();
  server->Stop();
  EXPECT_TRUE(waiting.AwaitEnd());
  EXPECT_TRUE(idle.AwaitEnd());
  kept.front().Send(Plain("too late"));
  server.reset();
  kept.front().Send(Plain("much too late"));
}

TEST(ServerTest, StopsWithoutEverServing) { Listen()->Stop(); }

TEST(ServerTest, NamesAddressAndPortIfItCannotListen) {
  auto first = Listen();
  ServerOptions options;
  options.name = "the test";
  options.port = first->port();
  const auto second = Server::Listen(options);
  ASSERT_FALSE(second.ok());
  const std::string message(second.status().message());
  EXPECT_THAT(message, HasSubstr("the test cannot listen on 127.0.0.1:" +
                                 std::to_string(first->port())));
  EXPECT_THAT(message, HasSubstr("in use"));
  options.address = "not-an-address";
  EXPECT_THAT(std::string(Server::Listen(options).status().message()),
              HasSubstr("not an IP address"));
}

class RangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::path(::testing::TempDir()) /
            ("server_test_" + std::to_string(::getpid()));
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
    std::ofstream(file_, std::ios::binary) << text;
    text_ = text;
    server_ = Serve([this](ServerRequest, Responder responder) {
      ServerResponse response;
      response.headers.push_back({"Content-Type", "video/mp4"});
      response.body = *FileBody(file_);
      response.ranges = true;
      responder.Send(std::move(response));
    });
  }
  void TearDown() override { std::filesystem::remove(file_); }
  PlainReply Get(const std::string& range, const std::string& method = "GET") {
    PlainClient client(server_->port());
    return client.Call(method, "/", "", range.empty() ? "" : "Range: " + range + "\r\n");
  }

  std::filesystem::path file_;
  std::string text_;
  std::unique_ptr<Server> server_;
};

TEST_F(RangeTest, SendsWholeFilesAndParts) {
  const PlainReply whole = Get("");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.headers.at("accept-ranges"), "bytes");
  EXPECT_EQ(whole.body, text_);
  const PlainReply middle = Get("bytes=100000-200000");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, text_.substr(100'000, 100'001));
  EXPECT_EQ(middle.headers.at("content-range"),
            "bytes 100000-200000/" + std::to_string(text_.size()));
  EXPECT_EQ(Get("bytes=5-").body, text_.substr(5));
  EXPECT_EQ(Get("bytes=-5").body, text_.substr(text_.size() - 5));
}

TEST_F(RangeTest, AnswersHeadWithoutABody) {
  const PlainReply head = Get("", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(text_.size()));
  EXPECT_EQ(head.body, "");
}

TEST_F(RangeTest, TellsWhatCannotBeHad) {
  const PlainReply reply = Get("bytes=999999999-");
  EXPECT_EQ(reply.status, 416);
  EXPECT_EQ(reply.headers.at("content-range"), "bytes */" + std::to_string(text_.size()));
}

TEST(ParseRangeTest, Table) {
  using Kind = RangeAnswer::Kind;
  const struct {
    const char* value;
    Kind kind;
    std::uint64_t first, count;
  } kCases[] = {
      {"bytes=0-0", Kind::kPart, 0, 1},
      {"bytes=0-9", Kind::kPart, 0, 10},
      {"bytes=9-", Kind::kPart, 9, 1},
      {"bytes=2-1000", Kind::kPart, 2, 8},
      {"bytes=-3", Kind::kPart, 7, 3},
      {"bytes=-1000", Kind::kPart, 0, 10},
      {"bytes=10-", Kind::kUnsatisfiable, 0, 0},
      {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
      {"bytes=5-2", Kind::kWhole, 0, 0},
      {"bytes=0-1,3-4", Kind::kWhole, 0, 0},
      {"bytes=a-b", Kind::kWhole, 0, 0},
      {"bytes=99999999999999999999-", Kind::kWhole, 0, 0},
      {"bytes=", Kind::kWhole, 0, 0},
      {"bytes=-", Kind::kWhole, 0, 0},
      {"lines=0-1", Kind::kWhole, 0, 0},
      {"", Kind::kWhole, 0, 0},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.value);
    const RangeAnswer answer = ParseRange(one.value, 10);
    EXPECT_EQ(answer.kind, one.kind);
    EXPECT_EQ(answer.part.first, one.first);
    EXPECT_EQ(answer.part.count, one.count);
  }
}

TEST(WriteHeadTest, LeavesOutHeadersThatWouldBreakOut) {
  ServerResponse response;
  response.headers = {{"Location", "/a\r\nSet-Cookie: x"}, {"X-Good", "yes"}};
  const std::string head = WriteHead(response, 404, 3, "", true, WallTime());
  EXPECT_EQ(head,
            "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Good: yes\r\n"
            "Content-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

TEST(BodyTest, RepeatsAPatternBetweenHeadAndTail) {
  const auto body = RepeatingBody("<", "ab", ">", 8);
  std::string text(8, '?');
  ASSERT_TRUE(body->Read(0, text.data(), 8));
  EXPECT_EQ(text, "<ababab>");
  std::string part(3, '?');
  ASSERT_TRUE(body->Read(5, part.data(), 3));
  EXPECT_EQ(part, "ab>");
}

TEST(BodyTest, AMissingFileIsAnError) {
  EXPECT_FALSE(FileBody("/nonexistent/file").ok());
  EXPECT_FALSE(FileBody("/tmp").ok());
}

TEST(ServerTest, ManyConnectionsAtOnce) {
  auto server = Serve([](ServerRequest request, Responder responder) {
    responder.Send(Plain(request.path));
  });
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      PlainClient client(server->port());
      for (int i = 0; i < 100; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        right += client.Call("GET", path).body == path;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
}

}  // namespace
}  // namespace gateway::http
