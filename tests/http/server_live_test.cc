// Answers that come to be while they are sent.
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

// Gives the pieces that the test puts in.
class PipeBody final : public LiveBody {
 public:
  explicit PipeBody(std::optional<std::uint64_t> size = std::nullopt) : size_(size) {}
  ~PipeBody() override { gone_.set_value(); }
  std::optional<std::uint64_t> size() const override { return size_; }
  void Next(std::function<void(Piece)> ready) override {
    std::unique_lock<std::mutex> lock(mutex_);
    if (pieces_.empty()) {
      ready_ = std::move(ready);
      return;
    }
    Piece piece = std::move(pieces_.front());
    pieces_.erase(pieces_.begin());
    lock.unlock();
    ready(std::move(piece));
  }
  void Put(Piece piece) {
    std::function<void(Piece)> ready;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ready = std::exchange(ready_, nullptr);
      if (!ready) pieces_.push_back(piece);
    }
    if (ready) ready(std::move(piece));
  }
  std::future<void> gone() { return gone_.get_future(); }

 private:
  const std::optional<std::uint64_t> size_;
  std::mutex mutex_;
  std::function<void(Piece)> ready_;
  std::vector<Piece> pieces_;
  std::promise<void> gone_;
};

Server::Handler Sends(std::shared_ptr<PipeBody>& body) {
  return [&body](const ServerRequest&, const Responder& responder) {
    ServerResponse response;
    response.live = std::exchange(body, nullptr);
    responder.Send(std::move(response));
  };
}

TEST(ServerLiveTest, SendsPiecesInChunksAndKeepsTheConnection) {
  auto body = std::make_shared<PipeBody>();
  PipeBody& pipe = *body;
  auto server = Serve(Sends(body));
  PlainClient client(server->port());
  client.Send(PlainRequest("GET", "/"));
  EXPECT_EQ(client.ReadHead().headers.at("transfer-encoding"), "chunked");
  pipe.Put({.bytes = "first"});
  pipe.Put({.bytes = ""});  // would end it, as a chunk
  pipe.Put({.bytes = "second piece", .last = true});
  body = std::make_shared<PipeBody>(3);  // before it is asked for: the handler takes it
  body->Put({.bytes = "abc", .last = true});
  client.Send(PlainRequest("GET", "/", "", "Connection: close\r\n"));
  EXPECT_TRUE(
      client.Rest().starts_with("5\r\nfirst\r\nc\r\nsecond piece\r\n0\r\n\r\nHTTP/1.1 200 OK"));
}

TEST(ServerLiveTest, SendsALengthThatIsKnown) {
  auto body = std::make_shared<PipeBody>(6);
  body->Put({.bytes = "abc"});
  body->Put({.bytes = "def", .last = true});
  auto server = Serve(Sends(body));
  const PlainReply reply = PlainClient(server->port()).Call("GET", "/");
  EXPECT_EQ(reply.headers.at("content-length"), "6");
  EXPECT_EQ(reply.body, "abcdef");
}

TEST(ServerLiveTest, AnOlderPeerReadsToTheEnd) {
  auto body = std::make_shared<PipeBody>();
  body->Put({.bytes = "all", .last = true});
  auto server = Serve(Sends(body));
  PlainClient client(server->port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const PlainReply head = client.ReadHead();
  EXPECT_EQ(head.headers.count("transfer-encoding"), 0u);
  EXPECT_EQ(head.headers.at("connection"), "close");
  EXPECT_EQ(client.Rest(), "all");
}

TEST(ServerLiveTest, ABrokenBodyIsCutOff) {
  auto body = std::make_shared<PipeBody>();
  body->Put({.bytes = "some"});
  body->Put({.bytes = "", .broken = true});
  auto server = Serve(Sends(body));
  PlainClient client(server->port());
  client.Send(PlainRequest("GET", "/"));
  client.ReadHead();
  EXPECT_EQ(client.Rest(), "4\r\nsome\r\n");
}

TEST(ServerLiveTest, APeerThatLeavesLetsTheBodyGo) {
  auto body = std::make_shared<PipeBody>();
  std::future<void> gone = body->gone();
  auto server = Serve(Sends(body));
  {
    PlainClient client(server->port());
    client.Send(PlainRequest("GET", "/"));
    EXPECT_EQ(client.ReadHead().status, 200);
    client.Reset();
  }
  EXPECT_EQ(gone.wait_for(seconds(10)), std::future_status::ready);
}

TEST(ServerLiveTest, TellsWhoLeavesBeforeThereIsAnAnswer) {
  std::promise<void> gone;
  std::promise<void> asked;
  std::optional<Responder> kept;
  auto server = Serve([&](const ServerRequest&, const Responder& responder) {
    responder.WhenGone([&gone] { gone.set_value(); });
    kept = responder;
    asked.set_value();
  });
  {
    PlainClient client(server->port());
    client.Send(PlainRequest("GET", "/"));
    asked.get_future().wait();
    client.Reset();
  }
  EXPECT_EQ(gone.get_future().wait_for(seconds(10)), std::future_status::ready);
}

TEST(ServerLiveTest, FinishesWhatIsOnItsWay) {
  auto body = std::make_shared<PipeBody>();
  PipeBody& pipe = *body;
  auto server = Serve(Sends(body));
  PlainClient idle(server->port());
  PlainClient client(server->port());
  client.Send(PlainRequest("GET", "/"));
  EXPECT_EQ(client.ReadHead().status, 200);
  server->StopAccepting();
  EXPECT_TRUE(idle.AwaitEnd());
  auto finished = std::async(std::launch::async, [&] { server->Finish(seconds(10)); });
  pipe.Put({.bytes = "end", .last = true});
  EXPECT_EQ(client.Rest(), "3\r\nend\r\n0\r\n\r\n");
  finished.wait();
}

}  // namespace
}  // namespace gateway::http::test
