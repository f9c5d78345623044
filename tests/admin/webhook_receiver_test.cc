#include "admin/webhook_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "sandbox/plain_client.h"

namespace gateway::admin {
namespace {

using test::PlainClient;
using test::PlainReply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
constexpr char kOther[] = "fedcba9876543210fedcba9876543210";

class WebhookReceiverTest : public testing::Test {
 protected:
  WebhookReceiverTest() { Start(""); }

  void Start(const std::string& public_url) {
    auto receiver = WebhookReceiver::Listen({.public_url = public_url}, seal_);
    ASSERT_TRUE(receiver.ok()) << receiver.status();
    receiver_ = *std::move(receiver);
    WebhookEvents events;
    events.webhook_called = [this](const std::string& token, std::vector<std::string> ids,
                                   const WebhookEvents::Done& done) {
      std::lock_guard lock(mutex_);
      called_back_.emplace_back(token, std::move(ids));
      more_.notify_all();
      if (hold_) {
        held_.push_back(done);
      } else {
        done(absl::OkStatus());
      }
    };
    events.dropped = [this](std::string_view why) {
      std::lock_guard lock(mutex_);
      dropped_.emplace_back(why);
    };
    receiver_->Serve(std::move(events));
  }

  std::uint16_t port() const {
    const std::string authority = receiver_->authority();
    return static_cast<std::uint16_t>(std::stoi(authority.substr(authority.rfind(':') + 1)));
  }
  std::string PathOf(const std::string& token) const { return "/" + seal_.Seal(token); }
  PlainReply Post(const std::string& path, const std::string& body = "",
                  const std::string& headers = "") {
    return PlainClient(port()).Call("POST", path, body, headers);
  }
  void Forget() {
    std::lock_guard lock(mutex_);
    called_back_.clear();
  }
  void AwaitCalledBack(std::size_t count) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(more_.wait_until(lock, give_up, [&] { return called_back_.size() >= count; }));
  }
  // All that was told; once the receiver has stopped, nothing more comes.
  std::vector<std::pair<std::string, std::vector<std::string>>> CalledBack() {
    receiver_->Stop();
    std::lock_guard lock(mutex_);
    return called_back_;
  }
  std::vector<std::string> Dropped() {
    receiver_->Stop();
    std::lock_guard lock(mutex_);
    return dropped_;
  }

  // Callbacks are not safe before Tell.
  void Hold() {
    std::lock_guard lock(mutex_);
    hold_ = true;
  }
  void Tell(const absl::Status& safe) {
    std::vector<WebhookEvents::Done> held;
    {
      std::lock_guard lock(mutex_);
      held.swap(held_);
    }
    for (const auto& done : held) done(safe);
  }

  const WebhookSeal seal_{Secret("a key")};
  std::unique_ptr<WebhookReceiver> receiver_;

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  bool hold_ = false;
  std::vector<WebhookEvents::Done> held_;
  std::vector<std::pair<std::string, std::vector<std::string>>> called_back_;
  std::vector<std::string> dropped_;
};

TEST_F(WebhookReceiverTest, HandsOnTheTokenAndTheIdOfTheJob) {
  EXPECT_EQ(Post(PathOf(kToken), R"({"job_id":"p1","success":true})").status, 204);
  EXPECT_EQ(Post(PathOf(kOther), "not JSON").status, 204);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p1")), Pair(kOther, IsEmpty())));
  EXPECT_THAT(Dropped(), IsEmpty());
}

TEST_F(WebhookReceiverTest, AnswersEverybodyAlike) {
  std::vector<std::string> paths = {PathOf(kToken),
                                    PathOf(kOther),
                                    "/",
                                    "/x",
                                    "/a/b?c=d",
                                    "/" + std::string(kToken) + "." + std::string(64, '0'),
                                    WebhookSeal(Secret("no")).Seal(kToken).insert(0, 1, '/')};
  for (const std::string& path : paths) {
    for (const char* body : {"", "{}", "{", "\xff", R"({"job_id":"p1"})"}) {
      PlainReply reply = Post(path, body);
      EXPECT_EQ(reply.status, 204) << path;
      EXPECT_EQ(reply.end, PlainReply::End::kWhole);
      EXPECT_EQ(reply.body, "");
      reply.headers.erase("date");
      const auto first = Post("/", "");
      auto expected = first.headers;
      expected.erase("date");
      EXPECT_EQ(reply.headers, expected) << path;
    }
  }
}

TEST_F(WebhookReceiverTest, OtherMethodsAreRefusedOnEveryPath) {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE"}) {
    for (const std::string& path : {PathOf(kToken), std::string("/")}) {
      PlainClient client(port());
      const PlainReply reply = client.Call(method, path);
      EXPECT_EQ(reply.status, 405) << method;
      EXPECT_EQ(reply.headers.at("allow"), "POST");
      EXPECT_EQ(reply.body, "");
    }
  }
  EXPECT_THAT(CalledBack(), IsEmpty());
}

TEST_F(WebhookReceiverTest, AnIngressMayChangeWhatStandsBefore) {
  EXPECT_EQ(Post("/hooks/pictory" + PathOf(kToken) + "?via=x").status, 204);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, IsEmpty())));
}

TEST_F(WebhookReceiverTest, ForgedOnesAreDropped) {
  std::string forged = PathOf(kToken);
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(Post(forged, R"({"job_id":"p1"})").status, 204);
  EXPECT_EQ(Post("/" + std::string(kToken), R"({"job_id":"p1"})").status, 204);
  EXPECT_THAT(CalledBack(), IsEmpty());
  EXPECT_THAT(Dropped(), ElementsAre("forged", "forged"));
}

TEST_F(WebhookReceiverTest, ManyOfOneSubmissionAreTheFirstAtOnceAndAllOthersABitLater) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Post(PathOf(kToken), R"({"job_id":"p1"})").status, 204);
  PlainClient client(
      port());  // pipelined, so that they come in this order and nobody waits for them
  PlainClient other(port());
  client.Send(test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p1"})"));
  EXPECT_EQ(client.Read().status, 204) << "says nothing new";
  client.Send(test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p2"})"));
  other.Send(test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p3"})"));
  EXPECT_EQ(Post(PathOf(kToken), "no id").status, 204);
  EXPECT_EQ(client.Read().status, 204);
  EXPECT_EQ(other.Read().status, 204);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, limits::kWebhookCallInterval);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p1")),
                                        Pair(kToken, UnorderedElementsAre("p2", "p3"))));
  EXPECT_THAT(Dropped(), ElementsAre("repeated"));
}

TEST_F(WebhookReceiverTest, IsAnsweredOnceWhatWasSaidIsSafe) {
  Hold();
  PlainClient client(port());
  client.Send(test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p1"})"));
  AwaitCalledBack(1);
  EXPECT_EQ(Post("/stranger").status, 204);
  EXPECT_FALSE(client.HasBytes());
  Tell(absl::OkStatus());
  EXPECT_EQ(client.Read().status, 204);
}

TEST_F(WebhookReceiverTest, PictoryMayTryAgainWhatCouldNotBeKept) {
  Hold();
  PlainClient client(port());
  client.Send(test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p1"})"));
  AwaitCalledBack(1);
  Tell(absl::UnavailableError("the disk is full"));
  EXPECT_EQ(client.Read().status, 503);
}

TEST_F(WebhookReceiverTest, OnlyAFewIdsOfOneSubmissionAreKeptAtATime) {
  Post(PathOf(kToken), R"({"job_id":"p0"})");
  std::deque<PlainClient> clients;
  for (std::size_t i = 1; i <= limits::kHintsMax + 3; ++i) {
    clients.emplace_back(port());
    clients.back().Send(
        test::PlainRequest("POST", PathOf(kToken), R"({"job_id":"p)" + std::to_string(i) + "\"}"));
  }
  for (PlainClient& client : clients) EXPECT_EQ(client.Read().status, 204);
  std::size_t handed_on = 0;
  for (const auto& [token, ids] : CalledBack()) handed_on += ids.size();
  EXPECT_EQ(handed_on, limits::kHintsMax);
}

TEST_F(WebhookReceiverTest, ThePathMayBeWrittenInOtherWays) {
  const std::string path = PathOf(kToken);
  std::string escaped = path;
  escaped.replace(escaped.find('.'), 1, "%2e");
  for (const std::string& way : {path + "/", path + "//", path + "?x=/y", path + "%2F", escaped,
                                 "//hooks" + path + "/?", "http://hooks.example.com" + path}) {
    Start("https://hooks.example.com");
    EXPECT_EQ(Post(way, R"({"job_id":"p1"})").status, 204);
    EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p1")))) << way;
    Forget();
  }
}

TEST_F(WebhookReceiverTest, TheBodyMayBeCompressed) {
  // {"job_id":"p1"}
  const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xca\x4f\x8a\xcf"
      "\x4c\x51\xb2\x52\x2a\x30\x54\xaa\x05\x00\xc3\xf3\x8f\x28\x0f\x00\x00\x00",
      35);
  Post(PathOf(kToken), gzip, "Content-Encoding: gzip\r\n");
  Post(PathOf(kOther), gzip);
  EXPECT_THAT(CalledBack(),
              ElementsAre(Pair(kToken, ElementsAre("p1")), Pair(kOther, ElementsAre("p1"))));
}

TEST_F(WebhookReceiverTest, AUrlThatLeakedIsHandedOnFourTimesASecond) {
  const auto begin = std::chrono::steady_clock::now();
  PlainClient client(port());
  int calls = 0;
  for (; std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(600); ++calls) {
    ASSERT_EQ(client.Call("POST", PathOf(kToken), "{}").status, 204);
  }
  const std::size_t handed_on = CalledBack().size();
  EXPECT_GE(handed_on, 2u);
  EXPECT_LE(handed_on, 4u);
  EXPECT_GT(calls, 20);
}

TEST_F(WebhookReceiverTest, OfALongBodyTheBeginningIsRead) {
  const std::string long_text(limits::kWebhookCallBodyMaxBytes, 'x');
  const std::string before = R"({"job_id":"p1","data":{"txt":")" + long_text + "\"}}";
  const std::string after = R"({"data":{"txt":")" + long_text + R"(","job_id":"p1"}})";
  EXPECT_EQ(Post(PathOf(kToken), before).status, 204);
  EXPECT_EQ(Post(PathOf(kOther), after).status, 204);
  const PlainReply huge = Post("/", std::string(3 * limits::kMiB, 'x'));
  EXPECT_EQ(huge.status, 204) << "nobody learns how much is read";
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p1")), Pair(kOther, IsEmpty())));
}

TEST_F(WebhookReceiverTest, APieceOfABodyIsNoCallback) {
  {
    PlainClient client(port());
    client.Send("POST " + PathOf(kToken) +
                " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  }
  EXPECT_EQ(Post(PathOf(kOther)).status, 204);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kOther, IsEmpty())));
}

TEST_F(WebhookReceiverTest, OneConnectionServesMany) {
  PlainClient client(port());
  std::string all;
  for (int i = 0; i < 5; ++i) all += test::PlainRequest("POST", "/x", "{}");
  client.Send(all);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.Read().status, 204);
}

TEST_F(WebhookReceiverTest, SlowStrangersKeepNoCallOut) {
  std::deque<PlainClient> strangers;
  for (std::size_t i = 0; i < limits::kWebhookCallConnectionsMax + 40; ++i) {
    strangers.emplace_back(port());
    if (i % 3 == 0) strangers.back().Send("POST /x HTTP/1.1\r\nHo");
    if (i % 3 == 1)
      strangers.back().Send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{");
  }
  EXPECT_EQ(Post(PathOf(kToken), R"({"job_id":"p1"})").status, 204);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p1"))));
}

TEST_F(WebhookReceiverTest, ChunkedBodiesAreRead) {
  PlainClient client(port());
  client.Send("POST " + PathOf(kToken) +
              " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
              "6\r\n{\"jobI\r\n7\r\nd\":\"p\"}\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().status, 204);
  EXPECT_THAT(CalledBack(), ElementsAre(Pair(kToken, ElementsAre("p"))));
}

TEST_F(WebhookReceiverTest, GivesOutTheUrlPictoryCanReach) {
  EXPECT_EQ(receiver_->UrlFor(kToken), "http://" + receiver_->authority() + PathOf(kToken));
  Start("https://hooks.example.com/pictory");
  EXPECT_EQ(receiver_->UrlFor(kToken), "https://hooks.example.com/pictory" + PathOf(kToken));
}

TEST_F(WebhookReceiverTest, ABusyPortIsNamed) {
  const auto second = WebhookReceiver::Listen({.port = port()}, seal_);
  EXPECT_THAT(std::string(second.status().message()), ::testing::HasSubstr(receiver_->authority()));
}

// An ingress on this machine may pass on the Host that Pictory has sent.
TEST_F(WebhookReceiverTest, TheHostOfThePublicUrlIsItsOwn) {
  Start("https://hooks.example.com:8443/pictory");
  const auto status = [this](const std::string& host) {
    PlainClient client(port());
    client.Send("POST " + PathOf(kToken) + " HTTP/1.1\r\nHost: " + host +
                "\r\nContent-Length: 2\r\n\r\n{}");
    return client.Read().status;
  };
  EXPECT_EQ(status("hooks.example.com:8443"), 204);
  EXPECT_EQ(status("evil.test"), 421);
}

}  // namespace
}  // namespace gateway::admin
