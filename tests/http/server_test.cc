#include "http/server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <vector>

#include "server_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;

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
  auto server = Serve(
      [](ServerRequest request, Responder responder) { responder.Send(Plain(request.path)); });
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
  chunked.Send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.Read().status, 413);
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

// Each refusal of its own is told in the words of who has the server.
TEST(ServerTest, RefusesInTheWordsItIsGiven) {
  std::vector<std::string> peers;
  ServerOptions options;
  options.max_header_bytes = 1000;
  options.max_body_bytes = 10;
  options.read_timeout = milliseconds(50);
  options.refusal = [&peers](const ServerRefusal& refused) {
    peers.push_back(refused.peer.name);
    return TextResponse(200, "application/json", "{\"is\":" + std::to_string(refused.status) + "}");
  };
  auto server = Serve([](const ServerRequest&, const Responder&) {}, options);
  struct Row {
    const char* request;
    int status;
  };
  for (const Row& row :
       {Row{"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
        Row{"this is no HTTP\r\n\r\n", 400},
        Row{"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
            400},
        Row{"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        Row{"GET / HTTP/1.1\r\nHost: other\r\n\r\n", 421},
        Row{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n", 413},
        Row{"GET / HTTP/1.1\r\nHost: loc", 408},
        Row{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1234", 408},
        Row{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 500}}) {
    PlainClient client(server->port());
    client.Send(row.request);
    const PlainReply reply = client.Read();
    EXPECT_EQ(reply.status, row.status) << row.request;
    EXPECT_EQ(reply.body, "{\"is\":" + std::to_string(row.status) + "}") << row.request;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json") << row.request;
  }
  server->Stop();
  ASSERT_EQ(peers.size(), 9u);
  EXPECT_TRUE(peers[0].starts_with("ipv4:127.0.0.1:")) << peers[0];
}

TEST(ServerTest, SaysContinueBeforeALongBody) {
  auto server = Serve(
      [](ServerRequest request, Responder responder) { responder.Send(Plain(request.body)); });
  PlainClient client(server->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  client.Send("body");
  EXPECT_EQ(client.Read().body, "body");
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

TEST(ServerTest, LetsGoOfPeersThatLeaveBeforeTheAnswer) {
  std::vector<Responder> kept;
  auto server = Serve([&](ServerRequest, Responder responder) { kept.push_back(responder); });
  {
    PlainClient client(server->port());
    client.Send(PlainRequest("GET", "/"));
    EXPECT_TRUE(Await([&] { return server->connections_open() == 1; }));
    client.Reset();
  }
  EXPECT_TRUE(Await([&] { return server->connections_open() == 0; }));
}

// Such a connection is accepted with its bytes, but nobody can say any more whose they are.
TEST(ServerTest, ReadsNothingOfAPeerThatResetBeforeItWasAccepted) {
  const auto server = Listen();
  PlainClient gone(server->port());
  gone.Send(PlainRequest("GET", "/gone"));
  gone.Reset();
  std::vector<ServerRequest> seen;
  server->Serve([&seen](ServerRequest request, Responder responder) {
    seen.push_back(std::move(request));
    responder.Send(Plain("hi"));
  });
  PlainClient client(server->port());
  EXPECT_EQ(client.Call("GET", "/there").status, 200);
  server->Stop();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].path, "/there");
  EXPECT_TRUE(seen[0].peer->name.starts_with("ipv4:127.0.0.1:"));
  EXPECT_EQ(seen[0].remote_address, "127.0.0.1");
  EXPECT_FALSE(seen[0].peer->unix_socket);
  EXPECT_EQ(server->connections_accepted(), 2u);
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
  EXPECT_THAT(message,
              HasSubstr("the test cannot listen on 127.0.0.1:" + std::to_string(first->port())));
  EXPECT_THAT(message, HasSubstr("in use"));
  options.address = "not-an-address";
  EXPECT_THAT(std::string(Server::Listen(options).status().message()),
              HasSubstr("not an IP address"));
}

TEST(ServerTest, ManyConnectionsAtOnce) {
  auto server = Serve(
      [](ServerRequest request, Responder responder) { responder.Send(Plain(request.path)); });
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
}  // namespace gateway::http::test
