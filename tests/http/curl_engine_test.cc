// Queues, limits and ends.
#include <set>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;

MonoTime In(Duration duration) { return SystemClock().Now() + duration; }

// A server that answers once its gate is open, and a transport with two places a lane.
struct Held {
  explicit Held(std::size_t queue_max = 10)
      : server([this](ScriptedConnection& connection, const ReceivedRequest& request) {
          gate.Pass();
          Ok(connection, request);
        }) {
    CurlTransportOptions options = OptionsFor(server.url());
    options.paid_in_flight = 2;
    options.read_in_flight = 2;
    options.queue_max = queue_max;
    transport = MustCreate(options);
  }
  ~Held() { gate.Open(); }
  // Two paid ones at the server.
  std::vector<std::future<Response>> Fill() {
    std::vector<std::future<Response>> futures;
    for (int i = 0; i < 2; ++i) futures.push_back(Begin(*transport, Post("/fill", "x")));
    EXPECT_TRUE(server.AwaitRequests(2));
    return futures;
  }

  Gate gate;
  ScriptedServer server;
  std::unique_ptr<CurlTransport> transport;
};

TEST(InFlight, NeverExceedsTheLimitOfTheLane) {
  for (Lane lane : {Lane::kPaid, Lane::kRead}) {
    Gate gate;
    std::atomic<int> now{0}, most{0};
    ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest& request) {
      const int count = ++now;
      int before = most;
      while (count > before && !most.compare_exchange_weak(before, count)) {
      }
      gate.Pass();
      --now;
      Ok(connection, request);
    });
    CurlTransportOptions options = OptionsFor(server.url());
    options.engines = 2;
    options.paid_in_flight = options.read_in_flight = 5;
    auto transport = MustCreate(options);
    std::vector<std::future<Response>> futures;
    for (int i = 0; i < 40; ++i) {
      Request request = Post("/x", "y");
      request.lane = lane;
      futures.push_back(Begin(*transport, request));
    }
    EXPECT_TRUE(Eventually([&] { return now == 5; }));
    const auto stats = [&] {
      const TransportStats all = transport->Stats();
      return lane == Lane::kPaid ? all.paid : all.read;
    };
    EXPECT_TRUE(Eventually([&] { return stats().queued == 35; }));
    EXPECT_EQ(stats().in_flight, 5u);
    EXPECT_EQ(server.connection_count(), 5);
    gate.Open();
    for (auto& future : futures) EXPECT_EQ(Await(std::move(future)).outcome, Outcome::kComplete);
    EXPECT_EQ(most, 5);
    EXPECT_EQ(server.request_count(), 40);
    if (lane == Lane::kRead) {
      EXPECT_EQ(server.connection_count(), 5);
    }
  }
}

TEST(InFlight, AFullLaneDoesNotHoldUpTheOther) {
  Held held;
  auto paid = held.Fill();
  auto read = Begin(*held.transport, Get("/x"));
  EXPECT_TRUE(held.server.AwaitRequests(3));
  held.gate.Open();
  EXPECT_EQ(Await(std::move(read)).outcome, Outcome::kComplete);
}

TEST(Queue, IsFirstInFirstOut) {
  Held held;
  CurlTransportOptions options = OptionsFor(held.server.url());
  options.paid_in_flight = 1;
  auto transport = MustCreate(options);
  std::vector<std::future<Response>> futures;
  for (int i = 0; i < 8; ++i) futures.push_back(Begin(*transport, Post("/x", std::to_string(i))));
  held.gate.Open();
  for (auto& future : futures) Await(std::move(future));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(held.server.requests()[i].body, std::to_string(i));
}

TEST(Queue, ARequestWaitsUntilItsDeadlineOnly) {
  Held held;
  auto first = held.Fill();
  Request late = Post("/late", "x");
  late.start_by = In(milliseconds(20));
  const Response response = Fetch(*held.transport, late);  // while the places are still taken
  EXPECT_EQ(response.outcome, Outcome::kNotSent);
  EXPECT_EQ(response.error, "queued past its deadline");
  EXPECT_TRUE(response.crowded);
  late.start_by = In(-seconds(1));
  held.gate.Open();
  for (auto& future : first) Await(std::move(future));
  EXPECT_EQ(Fetch(*held.transport, late).outcome, Outcome::kNotSent);  // places free, too late
  late.start_by = In(seconds(10));
  EXPECT_EQ(Fetch(*held.transport, late).outcome, Outcome::kComplete);
  EXPECT_EQ(held.server.request_count(), 3);
}

TEST(Queue, ItsOverflowIsRefusedAtOnce) {
  Held held(3);
  auto first = held.Fill();
  std::vector<std::future<Response>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(Begin(*held.transport, Post("/x", "y")));
  bool inside = false;
  held.transport->Start(Post("/x", "y"), [&](Response response) {
    inside = true;
    EXPECT_EQ(response.outcome, Outcome::kNotSent);
    EXPECT_THAT(response.error, HasSubstr("queue"));
  });
  EXPECT_TRUE(inside);
  EXPECT_EQ(held.transport->Stats().paid.queued, 3u);
  auto read = Begin(*held.transport, Get("/x"));  // the other lane's is its own
  held.gate.Open();
  EXPECT_EQ(Await(std::move(read)).outcome, Outcome::kComplete);
  for (auto& future : waiting) EXPECT_EQ(Await(std::move(future)).outcome, Outcome::kComplete);
  EXPECT_EQ(Fetch(*held.transport, Post("/x", "y")).outcome, Outcome::kComplete);
}

TEST(End, DestructionAnswersEverything) {
  Held held;
  auto paid = held.Fill();
  auto read = Begin(*held.transport, Get("/x"));
  EXPECT_TRUE(held.server.AwaitRequests(3));
  auto waiting = Begin(*held.transport, Post("/x", "y"));
  // Started by an answer that is given during the end.
  std::promise<Response> again;
  CurlTransport* const transport = held.transport.get();
  transport->Start(Post("/x", "y"), [&, transport](Response) {
    transport->Start(Post("/x", "z"), [&](Response last) { again.set_value(last); });
  });
  held.transport.reset();
  paid.push_back(std::move(read));
  for (auto& future : paid) {
    const Response response = Await(std::move(future));
    EXPECT_EQ(response.outcome, Outcome::kUnknown);
    EXPECT_EQ(response.error, "shutting down");
  }
  EXPECT_EQ(Await(std::move(waiting)).outcome, Outcome::kNotSent);
  EXPECT_EQ(Await(again.get_future()).outcome, Outcome::kNotSent);
}

TEST(End, AfterStopARequestIsAnsweredAtOnceAndNotSent) {
  ScriptedServer server(Ok);
  auto transport = MustCreate(OptionsFor(server.url()));
  transport->Stop();
  transport->Stop();
  bool answered = false;
  transport->Start(Post("/x", "y"), [&](Response response) {
    EXPECT_EQ(response.outcome, Outcome::kNotSent);
    answered = true;
  });
  EXPECT_TRUE(answered);
}

TEST(End, AnAnswerMayStartTheNextRequest) {
  ScriptedServer server(Ok);
  auto transport = MustCreate(OptionsFor(server.url()));
  std::promise<int> end;
  std::function<void(int)> next = [&](int left) {
    transport->Start(Get("/x"), [&, left](Response response) {
      EXPECT_EQ(response.outcome, Outcome::kComplete);
      if (left == 0) return end.set_value(0);
      next(left - 1);
    });
  };
  next(50);
  EXPECT_EQ(end.get_future().wait_for(seconds(10)), std::future_status::ready);
  transport.reset();
}

TEST(Load, AThousandAtOnceAreAnsweredOnceEach) {
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.Send(HttpReply(200, request.body));
  });
  CurlTransportOptions options = OptionsFor(server.url());
  options.engines = 2;
  options.read_in_flight = options.paid_in_flight = 32;
  auto transport = MustCreate(options);
  constexpr int kThreads = 4, kEach = 250;
  std::vector<std::atomic<int>> answers(kThreads * kEach);
  std::atomic<int> left{kThreads * kEach}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const int id = t * kEach + i;
        Request request = Post("/x", std::to_string(id));
        request.lane = id % 4 == 0 ? Lane::kPaid : Lane::kRead;
        transport->Start(request, [&, id](Response response) {
          ++answers[id];
          if (response.body != std::to_string(id)) ++wrong;
          --left;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(Eventually([&] { return left == 0; }));
  for (const auto& count : answers) EXPECT_EQ(count, 1);
  EXPECT_EQ(wrong, 0);
  std::set<std::string> bodies;
  for (const auto& request : server.requests()) bodies.insert(request.body);
  EXPECT_EQ(bodies.size(), 1000u);
  EXPECT_EQ(server.request_count(), 1000);
  const TransportStats stats = transport->Stats();
  EXPECT_EQ(stats.paid.complete, 250u);
  EXPECT_EQ(stats.read.complete, 750u);
  EXPECT_EQ(stats.paid.connections, 250u);
  EXPECT_LE(stats.read.connections, 32u);
  EXPECT_GT(stats.loop_stall_max, Duration::zero());
}

}  // namespace
}  // namespace gateway::http::test
