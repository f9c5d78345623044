#include "jobs/upstreams.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
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
    Upstream& upstream = upstreams_.Of(account);
    auto turn = upstream.TryTake(Purpose::kPoll);
    ASSERT_TRUE(turn.has_value()) << account;
    upstream.GetJob(*std::move(turn), {.pictory_job_id = "a"}, [](const pictory::JobReply&) {});
  }
  bool CanAsk(const std::string& account) {
    return upstreams_.Of(account).TryTake(Purpose::kPoll).has_value();
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::vector<std::pair<std::string, bool>> rests_;
  Upstreams upstreams_{{{"east", WithKey("pictai_east")}, {"west", WithKey("pictai_west")}},
                       transport_,
                       clock_,
                       clock_,
                       {.rests = [this](const std::string& account, const absl::Status& why) {
                         rests_.emplace_back(account, !why.ok());
                       }}};
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
  Upstream& door = upstreams_.Of("gone");
  for (const Purpose purpose :
       {Purpose::kSubmit, Purpose::kUpload, Purpose::kPoll, Purpose::kLook}) {
    EXPECT_FALSE(door.TryTake(purpose).has_value());
    EXPECT_EQ(errors::Reason(door.Refusal(purpose)), errors::kUpstreamCredentials);
    EXPECT_NE(door.Refusal(purpose).message().find("gone"), std::string::npos);
  }
  clock_.Advance(1h);
  EXPECT_TRUE(transport_.requests().empty());
  EXPECT_EQ(upstreams_.credentials_refused(), 0) << "it is not among those that are configured";
  EXPECT_EQ(upstreams_.size(), 2);
}

TEST_F(UpstreamsTest, AnAccountThatIsConfiguredLaterOpens) {
  Upstream& closed = upstreams_.Of("late");
  EXPECT_TRUE(upstreams_.Open("late", WithKey("pictai_late")));
  EXPECT_TRUE(CanAsk("late"));
  EXPECT_FALSE(closed.TryTake(Purpose::kPoll).has_value()) << "who has the old door still";
  EXPECT_FALSE(upstreams_.Open("late", WithKey("pictai_other"))) << "it is open already";
  EXPECT_EQ(upstreams_.size(), 3);
}

}  // namespace
}  // namespace gateway::jobs
