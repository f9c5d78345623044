// Bodies that are taken as they come.
#include <atomic>
#include <functional>
#include <future>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

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
  client.Send(
      "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
      "2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "3000005");
  EXPECT_EQ(client.Call("POST", "/", std::string(1001, 'x')).status, 413);
}

TEST_F(SinkTest, MayAnswerBeforeTheEnd) {
  Serve(100'000);
  PlainClient client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99000000\r\n\r\n" +
              std::string(150'000, 'x'));
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
}

// Has its answer while the body is still on its way, from another thread.
class EarlySink final : public BodySink {
 public:
  explicit EarlySink(std::promise<std::function<void()>>& ready) : ready_(ready) {}
  void WhenReady(std::function<void()> ready) override { ready_.set_value(std::move(ready)); }
  Next Take(std::string_view) override { return Next::kMore; }
  void Answer(const Responder& responder) override { responder.Send(Plain("enough")); }

 private:
  std::promise<std::function<void()>>& ready_;
};

TEST_F(SinkTest, MayAnswerWhileNothingMoreComes) {
  for (const std::string begin : {"Content-Length: 99\r\n\r\n", "Content-Length: 99\r\n\r\nabc",
                                  "Transfer-Encoding: chunked\r\n\r\nff"}) {
    SCOPED_TRACE(begin);
    std::promise<std::function<void()>> ready;
    server_ = Listen();
    server_->Serve(Always("handler"),
                   [&ready](const ServerRequest&) { return std::make_shared<EarlySink>(ready); });
    PlainClient client(server_->port());
    client.Send("PUT / HTTP/1.1\r\nHost: localhost\r\n" + begin);
    ready.get_future().get()();
    const PlainReply reply = client.Read();
    EXPECT_EQ(reply.body, "enough");
    EXPECT_EQ(reply.headers.at("connection"), "close");
    server_->Stop();
  }
}

TEST_F(SinkTest, MayRefuseBeforeTheBodyIsAskedFor) {
  Serve(1, BodySink::Next::kAnswer);
  PlainClient client(server_->port());
  client.Send(
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n");
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
  client.Send("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc");
  client.Close();
  EXPECT_TRUE(Await([&] { return seen_.gone == 1; }));
  EXPECT_EQ(seen_.bytes, 3u);
  EXPECT_EQ(seen_.answered, 0);
}

}  // namespace
}  // namespace gateway::http::test
