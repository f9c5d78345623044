// Peers that end their sending half of the connection, as `nc -N` does, and wait for the answer.
#include <future>
#include <optional>
#include <vector>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

// A body that has one piece when the test says so, and may be probed.
class HeldBody final : public LiveBody {
 public:
  explicit HeldBody(std::string filler) : filler_(std::move(filler)) {}
  ~HeldBody() override { gone_.set_value(); }
  std::string_view Filler() const override { return filler_; }
  void Next(std::function<void(Piece)> ready) override { asked_.set_value(std::move(ready)); }

  std::future<std::function<void(Piece)>> asked() { return asked_.get_future(); }
  std::future<void> gone() { return gone_.get_future(); }

 private:
  const std::string filler_;
  std::promise<std::function<void(Piece)>> asked_;
  std::promise<void> gone_;
};

// Answers when the test says so.
class HalfClosedTest : public ::testing::Test {
 protected:
  void Serve(ServerOptions options = {}) {
    server_ = test::Serve(
        [this](const ServerRequest&, const Responder& responder) {
          responder.WhenGone([this] { gone_.set_value(); });
          asked_.set_value(responder);
        },
        std::move(options));
  }
  bool Gone() { return gone_.get_future().wait_for(seconds(10)) == std::future_status::ready; }

  std::promise<Responder> asked_;
  std::promise<void> gone_;
  std::unique_ptr<Server> server_;
};

TEST_F(HalfClosedTest, IsAnswered) {
  Serve();
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  client.EndSending();
  const Responder responder = asked_.get_future().get();
  // The end is here before the answer: the same thread takes both.
  std::promise<void> later;
  server_->After(milliseconds(20), [&later] { later.set_value(); });
  later.get_future().wait();
  responder.Send(Plain("hi"));
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.body, "hi");
  EXPECT_EQ(reply.headers.at("connection"), "close") << "no other request can come";
  EXPECT_TRUE(client.AwaitEnd());
}

TEST_F(HalfClosedTest, WhoResetsIsGone) {
  Serve();
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  const Responder responder = asked_.get_future().get();
  client.Reset();
  EXPECT_TRUE(Gone());
  EXPECT_TRUE(Await([&] { return server_->connections_open() == 0; }));
}

TEST_F(HalfClosedTest, WhoIsNeverAnsweredIsGoneAfterAWhile) {
  ServerOptions options;
  options.half_closed_max = milliseconds(50);
  Serve(std::move(options));
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  client.EndSending();
  const Responder responder = asked_.get_future().get();
  EXPECT_TRUE(Gone());
  EXPECT_TRUE(client.AwaitEnd());
}

class HalfClosedStreamTest : public ::testing::Test {
 protected:
  void Serve(const std::string& filler, ServerOptions options = {}) {
    body_ = std::make_shared<HeldBody>(filler);
    asked_ = body_->asked();
    gone_ = body_->gone();
    server_ = test::Serve(
        [this](const ServerRequest&, const Responder& responder) {
          ServerResponse response;
          response.live = std::exchange(body_, nullptr);
          responder.Send(std::move(response));
        },
        std::move(options));
  }
  bool Gone() { return gone_.wait_for(seconds(10)) == std::future_status::ready; }

  std::shared_ptr<HeldBody> body_;
  std::future<std::function<void(LiveBody::Piece)>> asked_;
  std::future<void> gone_;
  std::unique_ptr<Server> server_;
};

TEST_F(HalfClosedStreamTest, GoesOn) {
  Serve(":\n");
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  client.EndSending();
  EXPECT_EQ(client.ReadHead().status, 200);
  const auto ready = asked_.get();
  ready({.bytes = "last", .last = true});
  const std::string rest = client.Rest();
  EXPECT_TRUE(rest.ends_with("4\r\nlast\r\n0\r\n\r\n")) << rest;
}

TEST_F(HalfClosedStreamTest, IsProbedOnce) {
  Serve(":\n");
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  client.EndSending();
  EXPECT_EQ(client.ReadHead().status, 200);
  const auto ready = asked_.get();
  EXPECT_TRUE(Await([&] { return client.HasBytes(); }));
  ready({.bytes = "last", .last = true});
  EXPECT_EQ(client.Rest(), "2\r\n:\n\r\n4\r\nlast\r\n0\r\n\r\n");
}

TEST_F(HalfClosedStreamTest, WhoHasClosedItWhollyIsFoundOutAtOnce) {
  Serve(":\n");
  {
    PlainClient client(server_->port());
    client.Send(PlainRequest("GET", "/"));
    EXPECT_EQ(client.ReadHead().status, 200);
  }
  EXPECT_TRUE(Gone());
}

TEST_F(HalfClosedStreamTest, WithoutAFillerItIsGoneAfterAWhile) {
  ServerOptions options;
  options.half_closed_max = milliseconds(50);
  Serve("", std::move(options));
  {
    PlainClient client(server_->port());
    client.Send(PlainRequest("GET", "/"));
    EXPECT_EQ(client.ReadHead().status, 200);
  }
  EXPECT_TRUE(Gone());
}

}  // namespace
}  // namespace gateway::http::test
