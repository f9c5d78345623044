// Peers that take their time, and more of them than there is room for.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <vector>

#include "http/server_core.h"
#include "server_test_support.h"

namespace gateway::http::test {
namespace {

constexpr char kHalfARequest[] =
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc";

// Counts the heads it has seen, so that a test knows that a request has begun.
class CrowdTest : public ::testing::Test {
 protected:
  void Serve(std::size_t max_connections, Server::Handler handler = Always("hi")) {
    options_.max_connections = max_connections;
    server_ = Listen(options_);
    server_->Serve(std::move(handler), [this](const ServerRequest&) {
      ++heads_;
      return nullptr;
    });
  }
  void BeginRequest(PlainClient& client) {
    const int before = heads_;
    client.Send(kHalfARequest);
    ASSERT_TRUE(Await([&] { return heads_ > before; }));
  }
  void FinishRequest(PlainClient& client) {
    client.Send("defghij");
    EXPECT_EQ(client.Read().body, "hi");
  }

  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::atomic<int> heads_{0};
};

TEST_F(CrowdTest, DropsIdleAndSlowPeers) {
  options_.idle_timeout = milliseconds(30);
  options_.read_timeout = milliseconds(30);
  Serve(10);
  PlainClient silent(server_->port());
  PlainClient halfway(server_->port());
  halfway.Send(kHalfARequest);
  EXPECT_TRUE(silent.AwaitEnd());
  EXPECT_EQ(halfway.Read().status, 408);
  EXPECT_TRUE(halfway.AwaitEnd());
  EXPECT_TRUE(Await([&] { return server_->connections_open() == 0; }));
}

// Sends a byte every other millisecond until the server says something; false: it did not.
bool IsToldWhileItTrickles(PlainClient& client, std::string_view byte) {
  return Await([&] {
    client.Send(byte);
    std::this_thread::sleep_for(milliseconds(2));
    return client.HasBytes() || client.HasEnded();
  });
}

class DiscardingSink final : public BodySink {
 public:
  Next Take(std::string_view) override { return Next::kMore; }
  void Answer(const Responder& responder) override { responder.Send(Plain("taken")); }
};

TEST_F(CrowdTest, AByteNowAndThenDoesNotProlongARequest) {
  options_.read_timeout = milliseconds(100);
  server_ = Listen(options_);
  server_->Serve(Always("hi"), [](const ServerRequest& head) {
    return head.method == "PUT" ? std::make_shared<DiscardingSink>() : nullptr;
  });
  for (const std::string_view begin :
       {"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;extension="}) {
    SCOPED_TRACE(begin);
    PlainClient client(server_->port());
    client.Send(begin);
    EXPECT_TRUE(IsToldWhileItTrickles(client, "a"));
    EXPECT_EQ(client.Read().status, 408);
  }
}

TEST_F(CrowdTest, ReadingALittleNowAndThenDoesNotProlongAnAnswer) {
  constexpr std::uint64_t kSize = 1'000 * limits::kMiB;
  options_.write_timeout = milliseconds(100);
  Serve(10, [](const ServerRequest&, const Responder& responder) {
    ServerResponse response;
    response.body = RepeatingBody("", "x", "", kSize);
    responder.Send(std::move(response));
  });
  PlainClient client(server_->port());
  client.Send(PlainRequest("GET", "/"));
  std::uint64_t read = 0;
  const auto give_up = std::chrono::steady_clock::now() + seconds(10);
  for (std::size_t got = 1; got > 0 && std::chrono::steady_clock::now() < give_up; read += got) {
    got = client.Take(128 * limits::kKiB);
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_TRUE(Await([&] { return server_->connections_open() == 0; }));
  EXPECT_LT(read, kSize);
  EXPECT_LT(std::chrono::steady_clock::now(), give_up);
}

TEST_F(CrowdTest, AServerOfLargeFilesGivesEachPieceItsTime) {
  options_.read_timeout = options_.write_timeout = milliseconds(100);
  options_.piece_timeout = seconds(10);
  server_ = Listen(options_);
  server_->Serve(Always("hi"),
                 [](const ServerRequest&) { return std::make_shared<DiscardingSink>(); });
  PlainClient client(server_->port());
  client.Send("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80\r\n\r\n");
  for (int i = 0; i < 80; ++i) {
    client.Send("a");
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_EQ(client.Read().body, "taken");
}

TEST_F(CrowdTest, TheOldestIdleConnectionGivesWayToANewOne) {
  Serve(2);
  PlainClient first(server_->port());
  EXPECT_EQ(first.Call("GET", "/").body, "hi");
  PlainClient second(server_->port());
  EXPECT_EQ(second.Call("GET", "/").body, "hi");
  EXPECT_EQ(first.Call("GET", "/").body, "hi");  // now the second one is idle for longer
  PlainClient third(server_->port());
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
  EXPECT_TRUE(second.AwaitEnd());
  EXPECT_EQ(first.Call("GET", "/").body, "hi");
}

TEST_F(CrowdTest, WhoHasSentNothingGoesBeforeWhoIsInTheMiddleOfARequest) {
  Serve(2);
  PlainClient halfway(server_->port());
  BeginRequest(halfway);
  PlainClient silent(server_->port());
  ASSERT_TRUE(Await([&] { return server_->connections_open() == 2; }));
  PlainClient third(server_->port());
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
  EXPECT_TRUE(silent.AwaitEnd());
  FinishRequest(halfway);
}

TEST_F(CrowdTest, WhenNobodyIsIdleTheOldestUnfinishedRequestGivesWayAndIsTold) {
  Serve(2);
  PlainClient first(server_->port());
  BeginRequest(first);
  PlainClient second(server_->port());
  BeginRequest(second);
  PlainClient third(server_->port());
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
  EXPECT_EQ(first.Read().status, 503);
  FinishRequest(second);
}

TEST_F(CrowdTest, WhoDoesNotReadItsAnswerGivesWay) {
  Serve(1, [](const ServerRequest& request, const Responder& responder) {
    ServerResponse response = Plain("hi");
    if (request.path == "/large") response.body = RepeatingBody("", "x", "", 100 * limits::kMiB);
    responder.Send(std::move(response));
  });
  PlainClient reader(server_->port());
  reader.Send(PlainRequest("GET", "/large"));
  ASSERT_TRUE(reader.Take(1) == 1);
  PlainClient second(server_->port());
  EXPECT_EQ(second.Call("GET", "/").body, "hi");
  EXPECT_TRUE(reader.AwaitEnd());
}

TEST_F(CrowdTest, OnlyWhileAllAwaitAHandlerIsANewPeerTurnedAway) {
  std::vector<Responder> kept;
  Serve(1, [&](const ServerRequest& request, const Responder& responder) {
    if (request.path == "/wait") {
      kept.push_back(responder);
    } else {
      responder.Send(Plain("hi"));
    }
  });
  PlainClient waiting(server_->port());
  waiting.Send(PlainRequest("GET", "/wait"));
  ASSERT_TRUE(Await([&] { return heads_ == 1; }));
  PlainClient second(server_->port());
  EXPECT_EQ(second.Read().status, 503);
  server_->Post([&] { kept.clear(); });
  EXPECT_EQ(waiting.Read().status, 500);
  PlainClient third(server_->port());
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
}

// Requests whose answers are still being made give way to nobody.
TEST_F(CrowdTest, NoAddressTakesAllPlaces) {
  options_.share_by_address = true;
  std::vector<Responder> kept;
  Serve(10, [&](const ServerRequest& request, const Responder& responder) {
    if (request.path == "/wait") {
      kept.push_back(responder);
    } else {
      responder.Send(Plain("hi"));
    }
  });
  std::deque<PlainClient> many;
  for (int i = 0; i < 8; ++i) {
    many.emplace_back(server_->port());
    many.back().Send(PlainRequest("GET", "/wait"));
    ASSERT_TRUE(Await([&] { return heads_ == i + 1; }));
  }
  PlainClient one_more(server_->port());
  EXPECT_EQ(one_more.Read().status, 503);
  PlainClient other(server_->port(), "127.0.0.2");
  EXPECT_EQ(other.Call("GET", "/").body, "hi");
  PlainClient third(server_->port(), "127.0.0.3");
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
  // There is no place left; a fourth takes that of whoever has been idle for longest.
  PlainClient fourth(server_->port(), "127.0.0.4");
  EXPECT_EQ(fourth.Call("GET", "/").body, "hi");
  EXPECT_TRUE(other.AwaitEnd());
  EXPECT_EQ(third.Call("GET", "/").body, "hi");
}

TEST_F(CrowdTest, WhoHasItsShareMakesRoomAmongItsOwn) {
  options_.share_by_address = true;
  Serve(10);
  PlainClient other(server_->port(), "127.0.0.2");
  EXPECT_EQ(other.Call("GET", "/").body, "hi");
  std::deque<PlainClient> many;
  for (int i = 0; i < 30; ++i) {
    many.emplace_back(server_->port());
    EXPECT_EQ(many.back().Call("GET", "/").body, "hi");
  }
  EXPECT_TRUE(many.front().AwaitEnd());
  EXPECT_EQ(other.Call("GET", "/").body, "hi");
}

TEST_F(CrowdTest, HundredsOfIdleConnectionsKeepNobodyOut) {
  Serve(8);
  std::deque<PlainClient> strangers;
  for (int i = 0; i < 300; ++i) {
    strangers.emplace_back(server_->port());
    if (i % 2 == 0) strangers.back().Send("GET /");
    if (i % 50 == 0) {
      EXPECT_EQ(PlainClient(server_->port()).Call("GET", "/").body, "hi");
    }
  }
  EXPECT_TRUE(Await([&] {
    return server_->connections_open() <= 8;
  }));  // the last one to give way may be closing
  EXPECT_EQ(PlainClient(server_->port()).Call("GET", "/").body, "hi");
}

// Lets the process have no more descriptors than it has.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    for (int fd = Lowest(); fd < 100; fd = Lowest()) held_.push_back(::dup(STDERR_FILENO));
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(Lowest());
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreFiles() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
    for (const int fd : held_) ::close(fd);
  }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  static int Lowest() {
    const int fd = ::dup(STDERR_FILENO);
    ::close(fd);
    return fd;
  }
  rlimit before_{};
  std::vector<int> held_;
};

TEST_F(CrowdTest, WithoutAFreeDescriptorPeersAreServedAllTheSame) {
  Serve(100);
  PlainClient idle(server_->port());
  EXPECT_EQ(idle.Call("GET", "/").body, "hi");
  std::deque<PlainClient> probes(5);
  const NoMoreFiles none;
  ASSERT_LT(::dup(STDERR_FILENO), 0);
  for (PlainClient& probe : probes) {
    probe.Connect(server_->port());
    EXPECT_EQ(probe.Call("GET", "/").body, "hi");
  }
  EXPECT_TRUE(idle.AwaitEnd()) << "each got the descriptor of one that was idle";
}

TEST_F(CrowdTest, HasItsSpareDescriptorBackWhenThereAreSomeAgain) {
  Serve(100);
  std::deque<PlainClient> probes(2);
  for (PlainClient& probe : probes) {
    const NoMoreFiles none;  // nobody is connected who could give way
    probe.Connect(server_->port());
    EXPECT_EQ(probe.Call("GET", "/").body, "hi");
    probe.Close();
    ASSERT_TRUE(Await([&] { return server_->connections_open() == 0; }));
  }
}

TEST(StandingTest, TheIdleThenTheSlowestGiveWayFirst) {
  const auto now = std::chrono::steady_clock::now();
  const Standing idle{Phase::kIdle, now};
  const Standing old_idle{Phase::kIdle, now - seconds(1)};
  const Standing reading{Phase::kReading, now - seconds(5)};
  const Standing sending{Phase::kSending, now - seconds(9)};
  EXPECT_TRUE(GivesWayBefore(old_idle, idle));
  EXPECT_FALSE(GivesWayBefore(idle, old_idle));
  EXPECT_TRUE(GivesWayBefore(idle, reading));
  EXPECT_TRUE(GivesWayBefore(reading, sending));
  EXPECT_FALSE(GivesWayBefore(sending, reading));
}

}  // namespace
}  // namespace gateway::http::test
