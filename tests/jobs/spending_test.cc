#include "jobs/spending.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "jobs/asked.h"
#include "support/fake_clock.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

class SpendingTest : public testing::Test {
 protected:
  test::FakeClock clock_;
};

TEST_F(SpendingTest, WithoutLimitsAnyNumberIsAllowedAndCounted) {
  Spending spending({}, clock_);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(spending.TryTake("a").ok());
  EXPECT_EQ(spending.spent_today(), 1000u);
  clock_.Advance(24h + 1min);
  EXPECT_EQ(spending.spent_today(), 0u);
}

TEST_F(SpendingTest, WindowsSlide) {
  Spending spending({.per_minute = 2}, clock_);
  ASSERT_TRUE(spending.TryTake("a").ok());
  clock_.Advance(40s);
  ASSERT_TRUE(spending.TryTake("b").ok());
  const absl::Status refused = spending.TryTake("a").status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_EQ(errors::RetryDelay(refused), 20s);
  clock_.Advance(19s);
  EXPECT_FALSE(spending.TryTake("a").ok());
  clock_.Advance(1s);
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, ATenantsOwnLimitLeavesOthersAlone) {
  Spending spending({.per_day = 3, .tenant_per_day = 2}, clock_);
  ASSERT_TRUE(spending.TryTake("a").ok());
  ASSERT_TRUE(spending.TryTake("a").ok());
  const absl::Status own = spending.TryTake("a").status();
  EXPECT_NE(own.message().find("tenant a"), absl::string_view::npos);
  ASSERT_TRUE(spending.TryTake("b").ok());
  const absl::Status all = spending.TryTake("b").status();
  EXPECT_NE(all.message().find("this gateway"), absl::string_view::npos);
  EXPECT_EQ(errors::RetryDelay(all), 24h);
}

TEST_F(SpendingTest, WhatIsRefundedMayBeSpentAgain) {
  Spending spending({.per_minute = 1, .tenant_per_day = 1}, clock_);
  const absl::StatusOr<MonoTime> taken = spending.TryTake("a");
  ASSERT_TRUE(taken.ok());
  spending.Refund("a", *taken);
  EXPECT_EQ(spending.spent_today(), 0u);
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, ARefundTakesBackThatSubmitAndNoOther) {
  Spending spending({.per_minute = 2}, clock_);
  const absl::StatusOr<MonoTime> refunded = spending.TryTake("a");
  clock_.Advance(50s);
  ASSERT_TRUE(spending.TryTake("a").ok());
  clock_.Advance(1s);
  spending.Refund("a", *refunded);
  EXPECT_EQ(spending.spent_today(), 1u);
  ASSERT_TRUE(spending.TryTake("a").ok());
  clock_.Advance(9s);
  EXPECT_FALSE(spending.TryTake("a").ok()) << "two were paid for within the last minute";
  clock_.Advance(50s);
  EXPECT_TRUE(spending.TryTake("a").ok());
  spending.Refund("a", *refunded);  // counts no more
  EXPECT_FALSE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, ARestartGoesOnCounting) {
  const WallTime now = clock_.WallNow();
  Spending spending({.per_day = 3}, clock_);
  spending.Recover({{"b", now - 1h}, {"a", now - 23h}, {"a", now + 1h}}, now);
  EXPECT_EQ(spending.spent_today(), 3u);
  const absl::Status refused = spending.TryTake("a").status();
  EXPECT_EQ(errors::RetryDelay(refused), 1h) << "when the oldest is a day old";
  clock_.Advance(1h);
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, AgesAreThoseOfTheTimeItIsAndNotOfTheClock) {
  const WallTime right = clock_.WallNow() - 24h * 365;
  Spending spending({.per_day = 2}, clock_);
  spending.Recover({{"a", right - 23h}, {"a", right - 1h}}, right);
  EXPECT_EQ(errors::RetryDelay(spending.TryTake("a").status()), 1h);
}

TEST(StartTimeTest, IsNotBeforeTheLastAnswerAndNotFarBehindIt) {
  const WallTime answered = test::FakeClock().WallNow();
  const Asked asked{.answered = answered, .since = answered - 24h};
  EXPECT_EQ(StartTime(asked, answered + 5h), answered + 5h);
  EXPECT_EQ(StartTime(asked, answered + 6 * 24h), answered + 6 * 24h);  // a long weekend
  EXPECT_EQ(StartTime(asked, answered + 365 * 24h), answered);          // set forward
  EXPECT_EQ(StartTime(asked, answered - 365 * 24h), answered);          // set back
  EXPECT_EQ(StartTime({}, answered), answered);                         // nobody knows better
}

TEST_F(SpendingTest, ALowerLimitAfterARestartCountsTheNewest) {
  const WallTime now = clock_.WallNow();
  Spending spending({.per_day = 1}, clock_);
  spending.Recover({{"a", now - 2h}, {"a", now - 3h}}, now);
  EXPECT_EQ(errors::RetryDelay(spending.TryTake("a").status()), 22h);
}

TEST_F(SpendingTest, TheKillSwitchStopsEverythingUntilItIsTakenBack) {
  Spending spending({}, clock_);
  spending.SetStopped(true);
  const absl::Status refused = spending.TryTake("a").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(errors::Reason(refused), "SUBMITS_STOPPED");
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  spending.SetStopped(false);
  EXPECT_TRUE(spending.TryTake("a").ok());
}

}  // namespace
}  // namespace gateway::jobs
