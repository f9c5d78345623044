// How an answer goes out, well and badly.
#include <future>
#include <vector>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

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

}  // namespace
}  // namespace gateway::http::test
