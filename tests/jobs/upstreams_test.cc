#include "jobs/upstreams.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

UpstreamOptions WithKey(const std::string& key) {
  return {.client = {.api_key = Secret(key), .user_agent = "t"},
          .budget = {.requests_per_second = 10, .burst = 2}};
}

class UpstreamsTest : public testing::Test {
 protected:
  void Ask(const std::string& account) {
    const UpstreamPtr upstream = upstreams_.Of(account);
    auto turn = upstream->TryTake(Purpose::kPoll);
    ASSERT_TRUE(turn.has_value()) << account;
    upstream->GetJob(*std::move(turn), {.pictory_job_id = "a"}, [](const pictory::JobReply&) {});
  }
  bool CanAsk(const std::string& account) {
    return upstreams_.Of(account)->TryTake(Purpose::kPoll).has_value();
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::vector<std::pair<std::string, bool>> rests_;
  std::vector<std::pair<std::string, bool>> degraded_;
  Upstreams upstreams_{
      {{"east", WithKey("pictai_east")}, {"west", WithKey("pictai_west")}},
      transport_,
      clock_,
      clock_,
      {.rests = [this](const std::string& account,
                       const absl::Status& why) { rests_.emplace_back(account, !why.ok()); },
       .degraded_changed = [this](const std::string& account,
                                  bool degraded) { degraded_.emplace_back(account, degraded); }}};
};

TEST_F(UpstreamsTest, EachAccountShowsItsOwnKey) {
  transport_.AnswerAllWith(test::Reply(200, kRunning));
  Ask("east");
  Ask("west");
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(test::HeaderOf(transport_.requests()[0], "Authorization"), "pictai_east");
  EXPECT_EQ(test::HeaderOf(transport_.requests()[1], "Authorization"), "pictai_west");
}

TEST_F(UpstreamsTest, ARateLimitOfOneAccountStopsNoOther) {
  transport_.AnswerAllWith(test::Reply(429, "{}", {{"retry-after", "30"}}));
  Ask("east");
  for (int second = 0; second < 29; ++second) {
    clock_.Advance(1s);
    EXPECT_FALSE(CanAsk("east")) << second;
    EXPECT_TRUE(CanAsk("west")) << second;
  }
  clock_.Advance(3s);
  EXPECT_TRUE(CanAsk("east"));
}

TEST_F(UpstreamsTest, PollsWithoutAnAnswerMakeTheirOwnAccountLag) {
  transport_.SetScript([](const http::Request& request) {
    const bool east = test::HeaderOf(request, "Authorization") == "pictai_east";
    return east ? test::Cut() : test::Reply(200, kRunning);
  });
  for (int i = 0; i < limits::kDegradedAfter; ++i) {
    Ask("east");
    Ask("west");
    clock_.Advance(1s);
  }
  EXPECT_TRUE(upstreams_.IsDegraded("east"));
  EXPECT_FALSE(upstreams_.IsDegraded("west"));
  EXPECT_EQ(upstreams_.degraded(), 1);
  EXPECT_EQ(degraded_, (std::vector<std::pair<std::string, bool>>{{"east", true}}));
}

class CrowdedUpstreamsTest : public UpstreamsTest {
 protected:
  static UpstreamOptions Rich(const std::string& key) {
    return {.client = {.api_key = Secret(key), .user_agent = "t"},
            .budget = {.requests_per_second = 10'000, .burst = 10'000}};
  }
  CrowdedUpstreamsTest() {
    upstreams_.Open("slow", Rich("pictai_slow"));
    upstreams_.Open("other", Rich("pictai_other"));
  }
  // Sends as many as may be under way, which are not answered, and says how many.
  int FillUp(const std::string& account, Purpose purpose, const std::string& tenant = {}) {
    const UpstreamPtr upstream = upstreams_.Of(account);
    int sent = 0;
    while (std::optional<Upstream::Turn> turn = upstream->TryTake(purpose, tenant)) {
      upstream->Ask(*std::move(turn), {.method = "GET", .path = "/x"}, [](const auto&) {});
      ++sent;
    }
    return sent;
  }
};

// The twin of PollerTest.AnAccountThatIsSilentHoldsUpNoOther.
TEST_F(CrowdedUpstreamsTest, AnAccountThatAnswersSlowlyHoldsUpNoOther) {
  for (const Purpose purpose : {Purpose::kSubmit, Purpose::kLook}) {
    const int most =
        purpose == Purpose::kLook ? limits::kLooksOfAllInFlightMax : limits::kSubmitsInFlightMax;
    EXPECT_EQ(FillUp("slow", purpose), most / 2);
    EXPECT_EQ(FillUp("other", purpose), most / 4);
    EXPECT_TRUE(upstreams_.Of("slow")->TryTake(Purpose::kPoll).has_value())
        << "polls have places of their own";
  }
  EXPECT_FALSE(upstreams_.Of("slow")->TryTake(Purpose::kChange).has_value());
  const absl::Status told = upstreams_.Of("slow")->Refusal(Purpose::kLook);
  EXPECT_EQ(errors::Reason(told), "TOO_MANY");
  EXPECT_GT(errors::RetryDelay(told), 0s);
  EXPECT_EQ(told.message().find("submitted"), absl::string_view::npos) << told;
  while (transport_.Answer(test::Reply(200, "{}"))) {
  }
  EXPECT_TRUE(upstreams_.Of("slow")->TryTake(Purpose::kChange).has_value());
  EXPECT_TRUE(upstreams_.Of("slow")->TryTake(Purpose::kLook).has_value());
}

TEST_F(CrowdedUpstreamsTest, SubmitsAndChangesOfOneTenantHoldUpNoOther) {
  const int most = limits::kSubmitsInFlightMax;
  EXPECT_EQ(FillUp("slow", Purpose::kChange, "noisy"), most / 2);
  EXPECT_EQ(FillUp("slow", Purpose::kSubmit, "noisy"), 0);
  EXPECT_EQ(FillUp("slow", Purpose::kSubmit, "quiet"), most / 4);
}

TEST_F(CrowdedUpstreamsTest, ATransportOfItsOwnHasPlacesOfItsOwn) {
  FillUp("slow", Purpose::kSubmit);
  test::FakeTransport elsewhere;
  UpstreamOptions options = Rich("pictai_elsewhere");
  options.transport = &elsewhere;
  upstreams_.Open("elsewhere", options);
  EXPECT_EQ(FillUp("elsewhere", Purpose::kSubmit), limits::kSubmitsInFlightMax / 2);
  EXPECT_EQ(transport_.held() + elsewhere.held(),
            static_cast<std::size_t>(limits::kSubmitsInFlightMax));
}

TEST_F(UpstreamsTest, CredentialsThatAreRefusedRestTheirAccountOnly) {
  transport_.AnswerAllWith(test::Reply(401, R"({"message":"Unauthorized"})"));
  Ask("east");
  clock_.Advance(10s);
  EXPECT_EQ(upstreams_.credentials_refused(), 1);
  EXPECT_EQ(upstreams_.resting(), 1);
  EXPECT_FALSE(CanAsk("east"));
  EXPECT_TRUE(CanAsk("west"));
  ASSERT_FALSE(rests_.empty());
  EXPECT_EQ(rests_.front(), std::make_pair(std::string("east"), true));
}

TEST_F(UpstreamsTest, NothingIsSentForAnAccountThatIsNotConfigured) {
  const UpstreamPtr door = upstreams_.Of("gone");
  for (const Purpose purpose :
       {Purpose::kSubmit, Purpose::kChange, Purpose::kPoll, Purpose::kLook}) {
    EXPECT_FALSE(door->TryTake(purpose).has_value());
    EXPECT_EQ(errors::Reason(door->Refusal(purpose)), errors::kUpstreamCredentials);
    EXPECT_NE(door->Refusal(purpose).message().find("gone"), std::string::npos);
  }
  clock_.Advance(1h);
  EXPECT_TRUE(transport_.requests().empty());
  EXPECT_EQ(upstreams_.credentials_refused(), 0) << "it is not among those that are configured";
  EXPECT_EQ(upstreams_.size(), 2);
}

TEST_F(UpstreamsTest, AnAccountThatIsConfiguredLaterOpens) {
  const UpstreamPtr closed = upstreams_.Of("late");
  EXPECT_TRUE(upstreams_.Open("late", WithKey("pictai_late")));
  EXPECT_TRUE(CanAsk("late"));
  EXPECT_FALSE(closed->TryTake(Purpose::kPoll).has_value()) << "who has the old door still";
  EXPECT_FALSE(upstreams_.Open("late", WithKey("pictai_other"))) << "it is open already";
  EXPECT_EQ(upstreams_.size(), 3);
}

constexpr char kOfCaller[] = "key-0123456789abcdef0123456789abcdef";

TEST_F(UpstreamsTest, AnAccountOfACallerWaitsUntilItsKeyIsShown) {
  EXPECT_TRUE(upstreams_.IsDegraded(kOfCaller));
  const absl::Status why = upstreams_.Of(kOfCaller)->Refusal(Purpose::kLook);
  EXPECT_EQ(errors::Reason(why), errors::kPictoryKeyNeeded);
  EXPECT_NE(why.message().find("show the key with any call"), std::string::npos) << why;
  EXPECT_TRUE(upstreams_.Open(kOfCaller, WithKey("pictai_own"), Upstreams::Whose::kCallers));
  EXPECT_FALSE(upstreams_.IsDegraded(kOfCaller));
  transport_.AnswerAllWith(test::Reply(200, kRunning));
  Ask(kOfCaller);
  EXPECT_EQ(test::HeaderOf(transport_.requests().back(), "Authorization"), "pictai_own");
}

TEST_F(UpstreamsTest, OnlyAnIdleAccountOfACallerCloses) {
  ASSERT_TRUE(upstreams_.Open(kOfCaller, WithKey("pictai_own"), Upstreams::Whose::kCallers));
  {
    const UpstreamPtr held = upstreams_.Of(kOfCaller);
    EXPECT_FALSE(upstreams_.Close(kOfCaller));
  }
  Ask(kOfCaller);  // the answer does not come yet
  EXPECT_FALSE(upstreams_.Close(kOfCaller));
  transport_.Answer(test::Reply(200, kRunning));
  const std::weak_ptr<Upstream> door = upstreams_.Of(kOfCaller);
  EXPECT_TRUE(upstreams_.Close(kOfCaller));
  clock_.Advance(1ms);
  EXPECT_TRUE(door.expired()) << "nothing is left of its key";
  EXPECT_FALSE(upstreams_.Has(kOfCaller));
  EXPECT_FALSE(CanAsk(kOfCaller));
  EXPECT_FALSE(upstreams_.Close("east")) << "an operator's stays";
}

TEST_F(UpstreamsTest, AProbeUnderWayKeepsItsDoor) {
  ASSERT_TRUE(upstreams_.Open(kOfCaller, WithKey("pictai_own"), Upstreams::Whose::kCallers));
  Ask(kOfCaller);
  transport_.Answer(test::Reply(401, R"({"message":"Unauthorized"})"));
  ASSERT_EQ(transport_.held(), 1u) << "the probe";
  EXPECT_FALSE(upstreams_.Close(kOfCaller));
  transport_.Answer(test::Reply(401, R"({"message":"Unauthorized"})"));
  EXPECT_TRUE(upstreams_.Close(kOfCaller));
  clock_.Advance(1h);
  EXPECT_EQ(transport_.requests().size(), 2u) << "who is closed asks nothing any more";
}

TEST_F(UpstreamsTest, AWrongKeyOfACallerIsNoTroubleOfTheGateway) {
  ASSERT_TRUE(upstreams_.Open(kOfCaller, WithKey("pictai_own"), Upstreams::Whose::kCallers));
  transport_.AnswerAllWith(test::Reply(401, R"({"message":"Unauthorized"})"));
  Ask(kOfCaller);
  clock_.Advance(10s);
  EXPECT_FALSE(CanAsk(kOfCaller));
  EXPECT_TRUE(CanAsk("east"));
  EXPECT_EQ(upstreams_.credentials_refused() + upstreams_.resting() + upstreams_.degraded(), 0);
  EXPECT_EQ(upstreams_.size(), 2);
}

}  // namespace
}  // namespace gateway::jobs
