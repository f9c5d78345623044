#include "pictory/access_tokens.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

using namespace std::chrono_literals;
using test::HeaderOf;
using test::Reply;

constexpr char kSecret[] = "s3cr\"et";

http::Response Token(const std::string& token, int seconds = 3600) {
  return Reply(200, R"({"access_token":")" + token + R"(","expires_in":)" +
                        std::to_string(seconds) + R"(,"token_type":"Bearer"})");
}

class AccessTokensTest : public ::testing::Test {
 protected:
  AccessTokensTest() { AnswerWithTokens(); }

  // t1, t2 … from now on.
  void AnswerWithTokens(int seconds = 3600) {
    transport_.SetScript([this, seconds](const http::Request&) {
      return Token("t" + std::to_string(++issued_), seconds);
    });
  }
  void Hold() {
    transport_.SetScript([](const http::Request&) { return std::nullopt; });
  }
  std::size_t Fetches() const { return transport_.requests().size(); }

  // What Authorize gives at once.
  absl::StatusOr<Authorization> Get() {
    absl::StatusOr<Authorization> got = absl::InternalError("not at once");
    tokens_.Authorize([&](absl::StatusOr<Authorization> given) { got = std::move(given); });
    return got;
  }
  std::string Value() {
    const auto got = Get();
    return got.ok() ? got->value.Reveal() : std::string(got.status().message());
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  int issued_ = 0;
  int fetching_ = 0;
  std::vector<absl::Status> fetched_;
  AccessTokens tokens_{
      {.client_id = "id", .client_secret = Secret(kSecret), .user_id = "u7"},
      "agent/1",
      {.fetching = [this] { ++fetching_; },
       .fetched = [this](const absl::Status& status, Duration) { fetched_.push_back(status); }},
      transport_,
      clock_};
};

TEST_F(AccessTokensTest, TheRequestIsTheDocumentedOne) {
  const auto got = Get();
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_EQ(Fetches(), 1u);
  const http::Request& sent = transport_.requests()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.path, "/v1/oauth2/token");
  EXPECT_EQ(*sent.body, R"({"client_id":"id","client_secret":"s3cr\"et"})");
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(sent, "User-Agent"), "agent/1");
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "");
  EXPECT_EQ(HeaderOf(sent, "X-Pictory-User-Id"), "");
  EXPECT_EQ(sent.timeout, limits::kTokenTimeout);
  EXPECT_EQ(sent.max_body_bytes, limits::kTokenReplyMaxBytes);
  EXPECT_EQ(fetching_, 1);
  ASSERT_EQ(fetched_.size(), 1u);
  EXPECT_TRUE(fetched_[0].ok());
}

TEST_F(AccessTokensTest, TheTokenGoesOutRawWithTheUserId) {
  http::Request request;
  Get()->PutOn(request);
  EXPECT_EQ(HeaderOf(request, "Authorization"), "t1");
  EXPECT_EQ(HeaderOf(request, "X-Pictory-User-Id"), "u7");
  http::Request without;
  Authorization{.value = Secret("t")}.PutOn(without);
  EXPECT_EQ(without.headers.size(), 1u);
}

TEST_F(AccessTokensTest, NothingIsFetchedBeforeSomebodyAsks) {
  clock_.Advance(24h);
  EXPECT_EQ(Fetches(), 0u);
}

TEST_F(AccessTokensTest, ATokenServesUntilShortlyBeforeItsEnd) {
  EXPECT_EQ(Value(), "t1");
  clock_.Advance(3600s - limits::kTokenRefreshBefore - 1ns);
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Fetches(), 1u);
  clock_.Advance(1ns);
  EXPECT_EQ(Value(), "t1");  // it still serves, while the next one is fetched
  EXPECT_EQ(Fetches(), 2u);
  EXPECT_EQ(Value(), "t2");
  EXPECT_EQ(Fetches(), 2u);
}

TEST_F(AccessTokensTest, AShortLifeIsRenewedInItsLastQuarter) {
  AnswerWithTokens(8);
  EXPECT_EQ(Value(), "t1");
  clock_.Advance(5900ms);
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Fetches(), 1u);
  clock_.Advance(100ms);
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Value(), "t2");
}

TEST_F(AccessTokensTest, LifeCountsFromTheAskingAndAnEndedTokenIsNotUsed) {
  Hold();
  tokens_.Authorize([](const absl::StatusOr<Authorization>&) {});
  clock_.Advance(4s);
  transport_.Answer(Token("t1", 10));
  EXPECT_EQ(Value(), "t1");
  clock_.Advance(6s);
  Hold();
  std::string got = "nothing yet";
  tokens_.Authorize([&](absl::StatusOr<Authorization> a) { got = a->value.Reveal(); });
  EXPECT_EQ(got, "nothing yet");
  transport_.Answer(Token("t2"));
  EXPECT_EQ(got, "t2");
}

TEST_F(AccessTokensTest, AHundredWaitersShareOneFetch) {
  Hold();
  std::vector<std::string> got;
  for (int i = 0; i < 100; ++i) {
    tokens_.Authorize([&](absl::StatusOr<Authorization> a) { got.push_back(a->value.Reveal()); });
  }
  EXPECT_EQ(Fetches(), 1u);
  EXPECT_TRUE(got.empty());
  transport_.Answer(Token("t"));
  EXPECT_EQ(got, std::vector<std::string>(100, "t"));
}

TEST_F(AccessTokensTest, AHundredWaitersShareOneFailure) {
  Hold();
  int failed = 0;
  for (int i = 0; i < 100; ++i) {
    tokens_.Authorize([&](const absl::StatusOr<Authorization>& a) { failed += !a.ok(); });
  }
  transport_.Answer(test::NotSent());
  EXPECT_EQ(failed, 100);
  EXPECT_EQ(Fetches(), 1u);
}

TEST_F(AccessTokensTest, AHundredRefusalsOfOneTokenCauseOneFetch) {
  const auto first = Get();
  Hold();
  int renewed = 0;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(tokens_.Refused(first->generation));
    tokens_.Authorize(
        [&](absl::StatusOr<Authorization> a) { renewed += a->value.Reveal() == "n"; });
  }
  EXPECT_EQ(Fetches(), 2u);
  transport_.Answer(Token("n"));
  EXPECT_EQ(renewed, 100);
  // One that was under way all the time comes back late: the new token is not to blame.
  EXPECT_TRUE(tokens_.Refused(first->generation));
  EXPECT_EQ(Value(), "n");
  EXPECT_EQ(Fetches(), 2u);
}

TEST_F(AccessTokensTest, ATokenRefusedInPlaceOfARefusedOneIsTheLastWord) {
  EXPECT_TRUE(tokens_.Refused(Get()->generation));
  const auto second = Get();
  EXPECT_EQ(second->value.Reveal(), "t2");
  EXPECT_FALSE(tokens_.Refused(second->generation));
  EXPECT_EQ(Value(), "t2");
  EXPECT_EQ(Fetches(), 2u);
  clock_.Advance(limits::kTokenRefusedRetry);
  EXPECT_TRUE(tokens_.Refused(second->generation));
  EXPECT_EQ(Value(), "t3");
}

TEST_F(AccessTokensTest, ARefusedEndpointIsNotHammered) {
  transport_.AnswerAllWith(Reply(401, R"({"message":"Unauthorized"})"));
  EXPECT_EQ(errors::Reason(Get().status()), "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(Fetches(), 1u);
  clock_.Advance(limits::kCredentialsConfirmAfter);  // it may have been a stray one
  for (Duration waited{}; waited < limits::kTokenRefusedRetry; waited += 1s, clock_.Advance(1s)) {
    EXPECT_EQ(errors::Reason(Get().status()), "UPSTREAM_CREDENTIALS");
    EXPECT_EQ(Fetches(), 2u);
  }
  AnswerWithTokens();
  EXPECT_EQ(Value(), "t1");
}

TEST_F(AccessTokensTest, AStrayRefusalOfTheEndpointIsSoonForgotten) {
  transport_.AnswerAllWith(Reply(401, R"({"message":"Unauthorized"})"));
  EXPECT_FALSE(Get().ok());
  AnswerWithTokens();
  clock_.Advance(limits::kCredentialsConfirmAfter);
  EXPECT_EQ(Value(), "t1");
}

TEST_F(AccessTokensTest, FailuresWaitLongerEachTimeAndSayHowLong) {
  transport_.AnswerAllWith(Reply(503, "<html>"));
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const std::size_t before = Fetches();
    EXPECT_EQ(errors::RetryDelay(Get().status()), pause);
    EXPECT_EQ(Fetches(), before + 1);
    clock_.Advance(pause / 2);
    const absl::Status meanwhile = Get().status();
    EXPECT_EQ(meanwhile.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(errors::RetryDelay(meanwhile), pause / 2);
    EXPECT_EQ(Fetches(), before + 1);
    clock_.Advance(pause / 2);
  }
  AnswerWithTokens();
  EXPECT_EQ(Value(), "t1");
  tokens_.Refused(1);
  transport_.AnswerAllWith(Reply(500, ""));
  EXPECT_EQ(errors::RetryDelay(Get().status()), 1s);  // a success forgets the failures before
}

TEST_F(AccessTokensTest, TheEndpointsOwnPauseIsObeyed) {
  transport_.AnswerAllWith(Reply(429, "", {{"retry-after", "20"}}));
  EXPECT_EQ(errors::Reason(Get().status()), "UPSTREAM_RATE_LIMITED");
  clock_.Advance(19s);
  EXPECT_EQ(errors::RetryDelay(Get().status()), 1s);
  EXPECT_EQ(Fetches(), 1u);
  clock_.Advance(1s);
  Get().IgnoreError();
  EXPECT_EQ(Fetches(), 2u);
}

TEST_F(AccessTokensTest, ARenewalThatFailsLeavesTheOldTokenInUse) {
  EXPECT_EQ(Value(), "t1");
  clock_.Advance(3600s - 30s);
  transport_.AnswerAllWith(test::NotSent());
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Fetches(), 2u);
  clock_.Advance(1s);
  EXPECT_EQ(Value(), "t1");
  EXPECT_EQ(Fetches(), 3u);
  clock_.Advance(29s);
  EXPECT_EQ(Get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(AccessTokensTest, NothingItSaysHoldsASecret) {
  for (const http::Response& response :
       {Reply(401, std::string(R"({"message":"bad )") + kSecret + "\"}"), Reply(200, kSecret),
        Reply(200, std::string(R"({"access_token":"x y"})"))}) {
    test::FakeTransport transport;
    transport.AnswerAllWith(response);
    absl::Status reported;
    AccessTokens tokens(
        {.client_id = "id", .client_secret = Secret(kSecret), .user_id = ""}, "a",
        {.fetching = {}, .fetched = [&](const absl::Status& s, Duration) { reported = s; }},
        transport, clock_);
    tokens.Authorize([](const absl::StatusOr<Authorization>& a) {
      EXPECT_FALSE(a.ok());
      for (const char* word : {"s3cr", "x y"}) {
        EXPECT_EQ(a.status().ToString().find(word), std::string::npos) << a.status();
      }
    });
    EXPECT_EQ(reported.ToString().find("s3cr"), std::string::npos);
  }
}

// Answers from a thread of its own, as a real transport does; at once, and forever another token.
class ThreadedTransport final : public http::HttpTransport {
 public:
  ~ThreadedTransport() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void Start(http::Request, Done done) override {
    std::lock_guard lock(mutex_);
    const int n = ++fetches_;
    threads_.emplace_back([done = std::move(done), n] { done(Token("t" + std::to_string(n))); });
  }
  int fetches() {
    std::lock_guard lock(mutex_);
    return fetches_;
  }

 private:
  std::mutex mutex_;
  int fetches_ = 0;
  std::vector<std::thread> threads_;
};

TEST(AccessTokensThreads, ManyThreadsRefusingOneTokenFetchTwice) {
  constexpr int kThreads = 8;
  SystemClock clock;
  std::atomic<int> second{0};
  std::optional<AccessTokens> tokens;
  ThreadedTransport transport;  // goes first, with the last callback done
  tokens.emplace(OAuthOptions{.client_id = "i", .client_secret = Secret("s"), .user_id = ""}, "a",
                 TokenEvents{}, transport, clock);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      tokens->Authorize([&](absl::StatusOr<Authorization> first) {
        EXPECT_TRUE(first.ok());
        EXPECT_TRUE(tokens->Refused(1));
        tokens->Authorize(
            [&](absl::StatusOr<Authorization> next) { second += next->generation == 2; });
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (second < kThreads) std::this_thread::yield();
  EXPECT_EQ(transport.fetches(), 2);
}

}  // namespace
}  // namespace gateway::pictory
