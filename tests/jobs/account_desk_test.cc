#include "jobs/account_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
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
