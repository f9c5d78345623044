#include "jobs/account_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_peer.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using test::Reply;
using ::testing::HasSubstr;
using ::testing::Not;

class AccountDeskTest : public ::testing::Test {
 protected:
  absl::StatusOr<AccountDesk::Answer> Ask(Purpose purpose, pictory::FreeCall call = Quota()) {
    absl::StatusOr<AccountDesk::Answer> got = absl::InternalError("no answer");
    desk_.Ask({}, purpose, std::move(call), [&](auto answer) { got = std::move(answer); });
    return got;
  }
  absl::StatusOr<AccountDesk::Both> LookTwice() {
    absl::StatusOr<AccountDesk::Both> got = absl::InternalError("no answer");
    desk_.LookTwice({}, Quota(), Quota(), [&](auto both) { got = std::move(both); });
    return got;
  }
  static pictory::FreeCall Quota() {
    pictory::FreeCall call;
    call.path = "/v1/quota";
    return call;
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::unique_ptr<Upstreams> upstreams_ =
      MakeUpstreams({.requests_per_second = 4, .burst = 100}, transport_, clock_);
  Upstream* const upstream_ = upstreams_->Of(kDefaultAccount).get();
  AccountDesk desk_{*upstreams_, clock_};
};

TEST_F(AccountDeskTest, BringsTheBodyOfTheAnswer) {
  transport_.AnswerAllWith(Reply(200, "[1]"));
  const auto got = Ask(Purpose::kLook);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->body, "[1]");
  EXPECT_FALSE(got->allow_loopback);
  EXPECT_EQ(transport_.requests()[0].method, "GET");
  EXPECT_EQ(transport_.requests()[0].body, nullptr);
}

TEST_F(AccountDeskTest, LooksAreFewWhateverTheBudget) {
  transport_.AnswerAllWith(Reply(200, "{}"));
  int asked = 0;
  while (Ask(Purpose::kLook).ok()) ASSERT_LT(++asked, 100);
  EXPECT_EQ(asked, static_cast<int>(limits::kLooksBurst));
  const absl::Status refused = Ask(Purpose::kLook).status();
  EXPECT_EQ(errors::Reason(refused), "UPSTREAM_BUDGET");
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("submitted")));
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_TRUE(Ask(Purpose::kLook).ok());
  EXPECT_TRUE(Ask(Purpose::kChange).ok()) << "a change is no look";
}

TEST_F(AccountDeskTest, AnAnswerThatIsTooLongIsSaidToBe) {
  http::Response cut = test::Cut("too long", 200, "[");
  cut.longer_than_bytes = 1000;
  transport_.AnswerAllWith(cut);
  const absl::Status told = Ask(Purpose::kLook).status();
  EXPECT_TRUE(absl::IsResourceExhausted(told)) << told;
  EXPECT_EQ(errors::Reason(told), "UPSTREAM_TOO_LARGE");
  EXPECT_THAT(std::string(told.message()), HasSubstr("1000 bytes"));
}

TEST_F(AccountDeskTest, ARateLimitHoldsTheWholeAccount) {
  transport_.AnswerAllWith(Reply(429, "", {{"retry-after", "20"}}));
  EXPECT_TRUE(absl::IsResourceExhausted(Ask(Purpose::kChange).status()));
  EXPECT_FALSE(upstream_->TryTake(Purpose::kPoll).has_value());
  const std::size_t sent = transport_.requests().size();
  EXPECT_EQ(errors::Reason(Ask(Purpose::kLook).status()), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(transport_.requests().size(), sent);
}

TEST_F(AccountDeskTest, ARestingAccountSaysSoAndKeepsItsLooks) {
  UpstreamPeer::AccountOf(*upstream_).SetResting(errors::UpstreamCredentials("HTTP 401"));
  for (int i = 0; i < 3 * limits::kLooksBurst; ++i) {
    ASSERT_EQ(errors::Reason(Ask(Purpose::kLook).status()), "UPSTREAM_CREDENTIALS") << i;
  }
  UpstreamPeer::AccountOf(*upstream_).SetResting(absl::OkStatus());
  transport_.AnswerAllWith(Reply(200, "{}"));
  EXPECT_TRUE(Ask(Purpose::kLook).ok());
}

TEST_F(AccountDeskTest, BothLooksAreTakenBeforeAnythingIsSent) {
  transport_.AnswerAllWith(Reply(200, "{}"));
  for (int i = 1; i < limits::kLooksBurst; ++i) ASSERT_TRUE(Ask(Purpose::kLook).ok());
  const std::size_t sent = transport_.requests().size();
  const absl::Status refused = LookTwice().status();
  EXPECT_EQ(errors::Reason(refused), "UPSTREAM_BUDGET");
  EXPECT_EQ(transport_.requests().size(), sent);
  clock_.Advance(errors::RetryDelay(refused));
  EXPECT_TRUE(LookTwice().ok());
  EXPECT_EQ(transport_.requests().size(), sent + 2);
}

TEST_F(AccountDeskTest, OneTurnIsEnoughForBothLooks) {
  upstreams_ = MakeUpstreams({.requests_per_second = 4, .burst = 1}, transport_, clock_);
  transport_.AnswerAllWith(Reply(200, "{}"));
  AccountDesk desk(*upstreams_, clock_);
  absl::StatusOr<AccountDesk::Both> got;
  desk.LookTwice({}, Quota(), Quota(), [&](auto both) { got = std::move(both); });
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_FALSE(upstreams_->Of(kDefaultAccount)->TryTake(Purpose::kPoll).has_value());
}

TEST_F(AccountDeskTest, WhatMustNotBeDoneTwiceIsNotRepeatedBelow) {
  transport_.AnswerAllWith(Reply(200, "{}"));
  pictory::FreeCall call = Quota();
  call.method = "DELETE";
  call.shown_by = "GetAccount";
  ASSERT_TRUE(Ask(Purpose::kChange, std::move(call)).ok());
  EXPECT_FALSE(transport_.requests()[0].may_repeat());
}

TEST_F(AccountDeskTest, AChangeThatNobodyWantsAnyMoreIsNotSent) {
  transport_.AnswerAllWith(Reply(200, "{}"));
  const auto cancelled = std::make_shared<std::atomic<bool>>(true);
  pictory::FreeCall call = Quota();
  call.cancelled = cancelled;
  EXPECT_TRUE(absl::IsCancelled(Ask(Purpose::kChange, call).status()));
  EXPECT_TRUE(transport_.requests().empty());
  cancelled->store(false);
  EXPECT_TRUE(Ask(Purpose::kChange, call).ok());
}

TEST_F(AccountDeskTest, WhatPictoryForbidsIsNoWordOnTheCredentials) {
  transport_.AnswerAllWith(Reply(403, R"({"message":"Forbidden"})"));
  EXPECT_EQ(errors::Reason(Ask(Purpose::kLook).status()), "UPSTREAM_FORBIDDEN");
  EXPECT_FALSE(upstream_->resting());
  transport_.AnswerAllWith(Reply(404, R"({"message":"Project x not found"})"));
  const absl::Status unknown = Ask(Purpose::kLook).status();
  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("Project x not found"));
}

}  // namespace
}  // namespace gateway::jobs
