#include "jobs/shared_spending.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/outcome.h"
#include "jobs/restart.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{24h * 365 * 50};  // where a step of each length begins

JobRecord Asking(double credits = 0, SubmissionState submission = SubmissionState::kSending) {
  JobRecord record;
  record.job.tenant = "a";
  record.submission = submission;
  record.credits_reserved = credits;
  if (submission == SubmissionState::kWaiting) record.job.state = v1::JOB_STATE_WAITING;
  if (CountsAsSpent(submission)) record.sent_at = kNow;
  return record;
}

TEST(CountedOfTest, FollowsTheRecord) {
  const CountedSpending nothing;
  const CountedSpending reserved{.spent = true, .credits = 8, .reserved = 8};
  for (const SubmissionState submission : kSubmissionStates) {
    const bool counts = CountsAsSpent(submission) || IsInFlight(submission);
    EXPECT_EQ(CountedOf(Asking(8, submission)), counts ? reserved : nothing)
        << static_cast<int>(submission);
  }
  const JobRecord sending = Asking(8);
  EXPECT_EQ(CountedOf(*Interrupted(sending, kNow)), reserved) << "it may have been sent";
  EXPECT_EQ(CountedOf(*Interrupted(Asking(8, SubmissionState::kIntent), kNow)), nothing);
  EXPECT_EQ(CountedOf(WaitingOn(sending)), nothing) << "it counts by being there";
  EXPECT_EQ(CountedOf(Cancelled(WaitingOn(sending), kNow)), nothing);

  JobRecord ended = Asking(8, SubmissionState::kAccepted);
  ended.job.state = v1::JOB_STATE_FAILED;
  EXPECT_EQ(CountedOf(ended), reserved) << "it may have used what was reserved";
  ended.job.credits_used = 3;
  EXPECT_EQ(CountedOf(ended), (CountedSpending{.spent = true, .credits = 3, .reserved = 0}));
  ended.submission = SubmissionState::kDeleted;
  EXPECT_EQ(CountedOf(ended), (CountedSpending{.spent = true, .credits = 3, .reserved = 0}));
  for (const double odd : {1e308, std::numeric_limits<double>::infinity()}) {
    ended.job.credits_used = odd;
    EXPECT_EQ(CountedOf(ended).credits, limits::kSpendingCreditsMax);
  }
  for (const double odd : {-3.0, std::numeric_limits<double>::quiet_NaN()}) {
    ended.job.credits_used = odd;
    EXPECT_EQ(CountedOf(ended).credits, 0);
  }
  JobRecord adopted = Asking(0, SubmissionState::kAccepted);
  adopted.sent_at = {};
  EXPECT_EQ(CountedOf(adopted), nothing);
}

class SpendingCheckTest : public testing::Test {
 protected:
  // How many of ten more may be, after so long.
  int Allowed(const SubmitLimits& limits, Duration later = {}, const JobRecord& one = Asking()) {
    SpendingCheck check(kNow + std::chrono::duration_cast<WallTime::duration>(later));
    check.Of("a") = own_;
    check.Of("") = all_;
    int allowed = 0;
    for (int i = 0; i < 10; ++i) {
      absl::Status may = check.Take(one, limits);
      if (may.ok()) {
        ++allowed;
        EXPECT_EQ(allowed, i + 1) << "one that is refused leaves no place for the next";
      } else {
        refused_ = std::move(may);
      }
    }
    return allowed;
  }
  void Spend(Duration ago, int submits, double credits = 0) {
    for (SpentSums* sums : {&own_, &all_}) {
      sums->Add(kNow - std::chrono::duration_cast<WallTime::duration>(ago), submits, credits);
    }
  }

  SpentSums own_, all_;
  absl::Status refused_;
};

TEST_F(SpendingCheckTest, WithoutLimitsAllMay) {
  Spend(0s, 1'000'000, 1e9);
  EXPECT_EQ(Allowed({}), 10);
}

TEST_F(SpendingCheckTest, AMinuteIsCountedInStepsAndHoldsNoLess) {
  const SubmitLimits limits{.tenant = {.submits_per_minute = 4}};
  Spend(1s, 3);
  EXPECT_EQ(Allowed(limits), 1);
  EXPECT_EQ(errors::Reason(refused_), "SPENDING_LIMIT");
  EXPECT_NE(refused_.message().find("tenant a allows 4 submits a minute"), std::string::npos)
      << refused_;
  EXPECT_EQ(Allowed(limits, 59s), 1) << "a minute later they were within it";
  const Duration wait = errors::RetryDelay(refused_);
  EXPECT_EQ(Allowed(limits, 60s), 4) << "their step has left";
  EXPECT_EQ(wait, 1s);
}

TEST_F(SpendingCheckTest, ADayIsLetInAgainAnHourLateAtMost) {
  const SubmitLimits limits{.all_per_day = 2};
  Spend(30min, 2);
  EXPECT_EQ(Allowed(limits), 0);
  EXPECT_NE(refused_.message().find("this gateway allows 2 submits a day"), std::string::npos);
  EXPECT_EQ(errors::RetryDelay(refused_), 24h);
  EXPECT_EQ(Allowed(limits, 24h - 1s), 0);
  EXPECT_EQ(Allowed(limits, 24h), 2);
}

TEST_F(SpendingCheckTest, WhatWaitsHasItsPlaceInTheDayAndNoneInTheMinute) {
  const SubmitLimits limits{.all_per_minute = 1, .tenant = {.submits_per_day = 5}};
  own_.waiting = all_.waiting = 2;
  EXPECT_EQ(Allowed(limits, {}, Asking(0, SubmissionState::kWaiting)), 3);
  EXPECT_EQ(Allowed(limits), 1);
  own_.waiting = 5;
  EXPECT_EQ(Allowed(limits), 0);
  EXPECT_GT(errors::RetryDelay(refused_), 0s);
}

TEST_F(SpendingCheckTest, CreditsAreThoseOfTheDayAndOfWhatWaits) {
  const SubmitLimits limits{.tenant = {.credits_per_day = 20}};
  Spend(2h, 1, 6);
  own_.waiting_credits = 4;
  EXPECT_EQ(Allowed(limits, {}, Asking(3)), 3);
  EXPECT_NE(refused_.message().find("19 are used or reserved"), std::string::npos) << refused_;
  EXPECT_EQ(errors::RetryDelay(refused_), 23h) << "when the step of the six has left";
  EXPECT_EQ(Allowed(limits, {}, Asking(0)), 10);
  own_.waiting_credits = 14;
  EXPECT_EQ(Allowed(limits, {}, Asking(0)), 0) << "what it costs is known at its end only";
}

TEST_F(SpendingCheckTest, ActiveJobsAreCountedAsTheyBegin) {
  const SubmitLimits limits{.tenant = {.active_jobs = 5}};
  own_.active = 3;
  EXPECT_EQ(Allowed(limits), 2);
  EXPECT_NE(refused_.message().find("5 jobs that have not ended"), std::string::npos);
  own_.active = 5;
  JobRecord sent = Asking();
  sent.job.state = v1::JOB_STATE_WAITING;
  EXPECT_EQ(Allowed(limits, {}, sent), 10) << "one that has waited is active already";
}

TEST_F(SpendingCheckTest, WhatIsTakenBackMayBeSpentAgain) {
  const SubmitLimits limits{.tenant = {.submits_per_minute = 3, .submits_per_day = 3}};
  Spend(10s, 3);
  Spend(10s, -2);
  EXPECT_EQ(Allowed(limits), 2);
}

}  // namespace
}  // namespace gateway::jobs
