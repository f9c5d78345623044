#include "jobs/spending.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "jobs/asked.h"
#include "support/fake_clock.h"
#include "support/quota.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

using Quota = std::pair<std::string, std::string>;  // subject and description

class SpendingTest : public testing::Test {
 protected:
  test::FakeClock clock_;
};

TEST_F(SpendingTest, WithoutLimitsAnyNumberIsAllowedAndCounted) {
  Spending spending({}, clock_);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(spending.TryTake("a").ok());
  EXPECT_EQ(spending.spent_today().submits, 1000u);
  clock_.Advance(24h + 1min);
  EXPECT_EQ(spending.spent_today().submits, 0u);
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
  EXPECT_EQ(test::QuotaOf(own), Quota("tenant a", "at most 2 submits a day"));
  ASSERT_TRUE(spending.TryTake("b").ok());
  const absl::Status all = spending.TryTake("b").status();
  EXPECT_NE(all.message().find("this gateway"), absl::string_view::npos);
  EXPECT_EQ(test::QuotaOf(all), Quota("this gateway", "at most 3 submits a day"));
  EXPECT_EQ(errors::RetryDelay(all), 24h);
}

TEST_F(SpendingTest, WhatWaitsHasItsPlaceHoweverLongItWaits) {
  Spending spending({.per_minute = 1, .per_day = 2}, clock_);
  ASSERT_TRUE(spending.Reserve("a", 3).ok());
  ASSERT_TRUE(spending.Reserve("a", 0).ok());
  EXPECT_EQ(errors::Reason(spending.Reserve("a", 0)), "SPENDING_LIMIT");
  clock_.Advance(48h);
  const absl::Status refused = spending.TryTake("b").status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_GT(errors::RetryDelay(refused), 0s);
  EXPECT_EQ(spending.spent_today("a").submits, 2u);
  EXPECT_EQ(spending.spent_today("a").reserved, 3);

  const absl::StatusOr<MonoTime> sent = spending.TakeReserved("a", 3, 4);
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(spending.spent_today("a").credits, 4);
  EXPECT_EQ(errors::Reason(spending.TakeReserved("a", 0, 0).status()), "SPENDING_LIMIT")
      << "a minute allows one";
  EXPECT_EQ(spending.spent_today("a").submits, 2u) << "and the other keeps its place";
  spending.WaitAgain("a", *sent, 3, 4);
  EXPECT_EQ(spending.spent_today("a").credits, 3);
  EXPECT_TRUE(spending.TakeReserved("a", 0, 0).ok());
  spending.Release("a", 3);
  EXPECT_EQ(spending.spent_today("a").submits, 1u);
  clock_.Advance(1min);
  EXPECT_TRUE(spending.TryTake("b").ok());
}

TEST_F(SpendingTest, WhatWaitsCountsItsCreditsAndHeedsTheSwitch) {
  Spending spending(
      {}, clock_, [](const std::string&) { return tenants::TenantLimits{.credits_per_day = 10}; });
  ASSERT_TRUE(spending.Reserve("a", 8).ok());
  EXPECT_FALSE(spending.TryTake("a", 3).ok());
  EXPECT_TRUE(spending.Reserve("a", 8, /*known=*/true).ok()) << "of before a restart";
  spending.SetStopped(true);
  EXPECT_EQ(errors::Reason(spending.Reserve("b", 0)), "SUBMITS_STOPPED");
  EXPECT_EQ(errors::Reason(spending.TakeReserved("a", 8, 8).status()), "SUBMITS_STOPPED");
}

TEST_F(SpendingTest, WhatIsRefundedMayBeSpentAgain) {
  Spending spending({.per_minute = 1, .tenant_per_day = 1}, clock_);
  const absl::StatusOr<MonoTime> taken = spending.TryTake("a");
  ASSERT_TRUE(taken.ok());
  spending.Refund("a", *taken);
  EXPECT_EQ(spending.spent_today().submits, 0u);
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
  EXPECT_EQ(spending.spent_today().submits, 1u);
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
  EXPECT_EQ(spending.spent_today().submits, 3u);
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

TEST_F(SpendingTest, ATenantsLimitsAreThoseThatItHasNow) {
  tenants::TenantLimits limits{.submits_per_minute = 1};
  Spending spending({.tenant_per_minute = 3}, clock_, [&](const std::string& tenant) {
    return tenant == "a" ? limits : tenants::TenantLimits{};
  });
  ASSERT_TRUE(spending.TryTake("a").ok());
  EXPECT_EQ(errors::Reason(spending.TryTake("a").status()), "SPENDING_LIMIT");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(spending.TryTake("b").ok()) << "it has that of all";
  EXPECT_FALSE(spending.TryTake("b").ok());
  limits.submits_per_minute = 2;
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok());
}

JobRecord Ended(double reserved, std::optional<double> used, v1::JobState state, WallTime now) {
  JobRecord record = test::RecordOf(SubmissionState::kAccepted, "j1", now);
  record.job.tenant = "a";
  record.job.state = state;
  record.job.credits_used = used;
  record.job.finish_time = now;
  record.credits_reserved = reserved;
  record.sent_at = now;
  return record;
}

TEST_F(SpendingTest, RepetitionsAreCountedForADayAndAreInNoLimit) {
  Spending spending({.per_minute = 1, .per_day = 1}, clock_);
  for (int i = 0; i < 3; ++i) spending.NoteRepeated("a");
  EXPECT_EQ(spending.spent_today("a").repeated, 3u);
  EXPECT_EQ(spending.spent_today("a").submits, 0u);
  EXPECT_EQ(spending.spent_today("b").repeated, 0u);
  EXPECT_EQ(spending.spent_today().repeated, 3u);
  EXPECT_TRUE(spending.TryTake("a").ok());
  clock_.Advance(std::chrono::hours(25));
  EXPECT_EQ(spending.spent_today("a").repeated, 0u);
}

TEST_F(SpendingTest, CreditsAreReservedAndThenCountAsUsed) {
  Spending spending(
      {}, clock_, [](const std::string&) { return tenants::TenantLimits{.credits_per_day = 100}; });
  ASSERT_TRUE(spending.TryTake("a", 60).ok());
  const absl::Status refused = spending.TryTake("a", 60).status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_NE(refused.message().find("60 are used or reserved"), absl::string_view::npos) << refused;
  EXPECT_EQ(test::QuotaOf(refused), Quota("tenant a", "at most 100 AI credits a day"));
  EXPECT_TRUE(spending.TryTake("b", 60).ok()) << "another tenant's are its own";

  spending.OnEnded(Ended(60, 20, v1::JOB_STATE_SUCCEEDED, clock_.WallNow()));
  EXPECT_EQ(spending.spent_today("a").credits, 20);
  ASSERT_TRUE(spending.TryTake("a", 60).ok());
  spending.OnEnded(Ended(60, std::nullopt, v1::JOB_STATE_SUCCEEDED, clock_.WallNow()));
  EXPECT_EQ(spending.spent_today("a").credits, 20)
      << "it has said nothing of credits, so it used none";
  ASSERT_TRUE(spending.TryTake("a", 60).ok());
  spending.OnEnded(Ended(60, std::nullopt, v1::JOB_STATE_FAILED, clock_.WallNow()));
  EXPECT_EQ(spending.spent_today("a").credits, 80) << "it may have used what was reserved";
}

// What counts in no minute of the last day has none to be corrected.
TEST_F(SpendingTest, AJobThatCountsNoMoreChangesNothingAtItsEnd) {
  Spending spending({}, clock_);
  ASSERT_TRUE(spending.TryTake("a", 60).ok());
  spending.OnEnded(Ended(0, 40, v1::JOB_STATE_SUCCEEDED, WallTime{}));
  EXPECT_EQ(spending.spent_today("a").credits, 60)
      << "it was adopted, so it was not submitted here";
  for (const Duration age : {24h, 1000h}) {
    const WallTime sent = clock_.WallNow() - std::chrono::duration_cast<WallTime::duration>(age);
    spending.OnEnded(Ended(60, 200, v1::JOB_STATE_SUCCEEDED, sent));
    spending.OnEnded(Ended(60, 0, v1::JOB_STATE_SUCCEEDED, sent));
    EXPECT_EQ(spending.spent_today("a").credits, 60);
    EXPECT_EQ(spending.spent_today("a").reserved, 60);
  }
}

// As before the restart, what was reserved counts until a job has ended, and then what it used.
TEST_F(SpendingTest, CreditsThatPictoryToldOfBeforeARestartCountOnce) {
  for (const double used : {0.0, 20.0, 80.0}) {
    Spending spending({}, clock_);
    JobRecord record = Ended(60, used, v1::JOB_STATE_RUNNING, clock_.WallNow() - 1h);
    spending.Recover({SpentOf(record)}, clock_.WallNow());
    EXPECT_EQ(spending.spent_today("a").credits, 60);
    EXPECT_EQ(spending.spent_today("a").reserved, 60);
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    spending.OnEnded(record);
    EXPECT_EQ(spending.spent_today("a").credits, used);
    EXPECT_EQ(spending.spent_today("a").reserved, 0);
    EXPECT_EQ(SpentOf(record).credits, used);
  }
}

TEST_F(SpendingTest, CreditsThatAreUsedUpComeBackADayLater) {
  Spending spending(
      {}, clock_, [](const std::string&) { return tenants::TenantLimits{.credits_per_day = 100}; });
  ASSERT_TRUE(spending.TryTake("a", 100).ok());
  const absl::Status refused = spending.TryTake("a", 0).status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT") << "what it costs is known at its end only";
  const Duration wait = errors::RetryDelay(refused);
  EXPECT_GT(wait, 23h + 58min);
  EXPECT_LE(wait, 24h + 1min);
  clock_.Advance(wait + 1s);
  EXPECT_TRUE(spending.TryTake("a", 100).ok());
}

TEST_F(SpendingTest, RefundedCreditsMayBeUsedAgain) {
  Spending spending(
      {}, clock_, [](const std::string&) { return tenants::TenantLimits{.credits_per_day = 10}; });
  const auto taken = spending.TryTake("a", 10);
  ASSERT_TRUE(taken.ok());
  spending.Refund("a", *taken, 10);
  EXPECT_EQ(spending.spent_today("a").credits, 0);
  EXPECT_TRUE(spending.TryTake("a", 10).ok());
}

TEST_F(SpendingTest, CreditsAreKnownAfterARestart) {
  Spending spending(
      {}, clock_, [](const std::string&) { return tenants::TenantLimits{.credits_per_day = 10}; });
  spending.Recover({{"a", clock_.WallNow() - 1h, 8}, {"a", clock_.WallNow() - 23h, 1}},
                   clock_.WallNow());
  EXPECT_EQ(spending.spent_today("a").credits, 9);
  EXPECT_FALSE(spending.TryTake("a", 2).ok());
  EXPECT_TRUE(spending.TryTake("a", 1).ok());
}

TEST_F(SpendingTest, ActiveJobsAreLimited) {
  Spending spending({}, clock_, [](const std::string& tenant) {
    return tenants::TenantLimits{.active_jobs = tenant == "a" ? 2 : 0};
  });
  EXPECT_TRUE(spending.CheckActive("a", 1).ok());
  const absl::Status refused = spending.CheckActive("a", 2);
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_EQ(test::QuotaOf(refused), Quota("tenant a", "at most 2 active jobs"));
  EXPECT_TRUE(spending.CheckActive("b", 1000).ok());
}

TEST_F(SpendingTest, ALimitThatIsSetLaterKnowsWhatWasSpentBefore) {
  tenants::TenantLimits limits;  // none
  Spending spending({}, clock_, [&](const std::string&) { return limits; });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(spending.TryTake("a").ok());
    clock_.Advance(1h);
  }
  limits.submits_per_day = 5;
  const absl::Status refused = spending.TryTake("a").status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_GE(errors::RetryDelay(refused), 19h) << "when the first is a day old";
  EXPECT_LE(errors::RetryDelay(refused), 19h + 1min) << "or up to a minute later";
  clock_.Advance(errors::RetryDelay(refused));
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, ASubmitOfBeforeTheLimitIsGivenBackAsAnyOther) {
  tenants::TenantLimits limits;
  Spending spending({}, clock_, [&](const std::string&) { return limits; });
  clock_.Advance(90s);
  const absl::StatusOr<MonoTime> taken = spending.TryTake("a");
  ASSERT_TRUE(taken.ok());
  clock_.Advance(5s);
  limits.submits_per_day = 1;
  EXPECT_FALSE(spending.TryTake("a").ok());
  spending.Refund("a", *taken);
  EXPECT_TRUE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, ALimitThatIsLoweredAndRaisedAgainForgetsNothing) {
  tenants::TenantLimits limits{.submits_per_minute = 100, .submits_per_day = 10};
  Spending spending({}, clock_, [&](const std::string&) { return limits; });
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(spending.TryTake("a").ok());
  limits = {.submits_per_minute = 2, .submits_per_day = 3};
  EXPECT_FALSE(spending.TryTake("a").ok());
  limits = {.submits_per_minute = 9, .submits_per_day = 10};
  ASSERT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok()) << "nine in this minute";
  clock_.Advance(2min);
  EXPECT_TRUE(spending.TryTake("a").ok());
  EXPECT_FALSE(spending.TryTake("a").ok()) << "ten in this day";
}

TEST_F(SpendingTest, ALimitThatIsSetAtOnceCountsTheLastMinute) {
  tenants::TenantLimits limits;
  Spending spending({}, clock_, [&](const std::string&) { return limits; });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(spending.TryTake("a").ok());
  limits.submits_per_minute = 3;
  const absl::Status refused = spending.TryTake("a").status();
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_LE(errors::RetryDelay(refused), 2min);
  clock_.Advance(2min);
  EXPECT_TRUE(spending.TryTake("a").ok());
}

TEST_F(SpendingTest, WhatIsReservedIsToldApartFromWhatPictorySays) {
  Spending spending({}, clock_);
  const auto reserved = [&] { return spending.spent_by_tenant()["a"].reserved; };
  const auto all = [&] { return spending.spent_by_tenant()["a"].credits; };
  ASSERT_TRUE(spending.TryTake("a", 24).ok());
  ASSERT_TRUE(spending.TryTake("a", 8).ok());
  const auto taken = spending.TryTake("a", 100);
  spending.Refund("a", *taken, 100);
  EXPECT_EQ(all(), 32);
  EXPECT_EQ(reserved(), 32);
  spending.OnEnded(Ended(24, 30, v1::JOB_STATE_SUCCEEDED, clock_.WallNow()));
  EXPECT_EQ(all(), 38);
  EXPECT_EQ(reserved(), 8);
  spending.OnEnded(Ended(8, std::nullopt, v1::JOB_STATE_FAILED, clock_.WallNow()));
  EXPECT_EQ(all(), 38);
  EXPECT_EQ(reserved(), 8) << "nobody has said what it used";
  ASSERT_TRUE(spending.TryTake("a", 5).ok());
  spending.OnEnded(Ended(5, 5, v1::JOB_STATE_SUCCEEDED, clock_.WallNow()));
  EXPECT_EQ(reserved(), 8) << "charged as it was reserved";
  EXPECT_EQ(all(), 43);

  Spending after({}, clock_);
  after.Recover({{.tenant = "a", .sent_at = clock_.WallNow(), .credits = 24, .reserved = 24},
                 {.tenant = "a", .sent_at = clock_.WallNow(), .credits = 19}},
                clock_.WallNow());
  EXPECT_EQ(after.spent_by_tenant()["a"].credits, 43);
  EXPECT_EQ(after.spent_by_tenant()["a"].reserved, 24);
}

TEST(CreditsToRenderTest, AreWhatThePreviewShows) {
  struct Case {
    const char* name;
    double reserved;
    std::optional<double> used;
    bool ours;
    double credits;
  };
  for (const Case& one :
       {Case{"reserved", 48, std::nullopt, true, 48}, Case{"it used more", 48, 60, true, 60},
        Case{"or less", 48, 0, true, 48}, Case{"of nothing dear", 0, std::nullopt, true, 0},
        Case{"adopted", 0, std::nullopt, false, 24},
        Case{"adopted, and has said", 0, 7, false, 7}}) {
    JobRecord preview;
    preview.job.request_id = one.ours ? "r" : "";
    preview.job.credits_used = one.used;
    preview.credits_reserved = one.reserved;
    EXPECT_EQ(CreditsToRender(preview), one.credits) << one.name;
  }
}

}  // namespace
}  // namespace gateway::jobs
