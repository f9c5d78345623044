#include "jobs/budget.h"

#include <gtest/gtest.h>

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using Share = Budget::Share;

const MonoTime kBegin{1h};

// How many tokens a share gets when it asks every millisecond.
int Drain(Budget& budget, Share share, MonoTime from, Duration span) {
  int taken = 0;
  for (MonoTime now = from; now < from + span; now += 1ms) taken += budget.TryTake(share, now);
  return taken;
}

TEST(Budget, OneSideAloneGetsTheWholeRate) {
  for (Share share : {Share::kSubmit, Share::kPoll}) {
    Budget budget({.requests_per_second = 10, .burst = 4}, kBegin);
    const int taken = Drain(budget, share, kBegin, 100s);
    EXPECT_GE(taken, 950);
    EXPECT_LE(taken, 1004);
  }
}

TEST(Budget, WhatCouldNotWaitIsPaidForByLaterRequests) {
  Budget budget({.requests_per_second = 10, .burst = 4}, kBegin);
  for (int i = 0; i < 10; ++i) budget.Spend(Share::kPoll, kBegin);
  EXPECT_FALSE(budget.TryTake(Share::kPoll, kBegin));
  const MonoTime next = budget.NextAt(Share::kPoll, kBegin);
  EXPECT_GT(next, kBegin + 500ms);
  EXPECT_TRUE(budget.TryTake(Share::kPoll, next));
  Budget other({.requests_per_second = 10, .burst = 4}, kBegin);
  for (int i = 0; i < 50; ++i) other.Spend(Share::kPoll, kBegin);
  EXPECT_LE(Drain(other, Share::kPoll, kBegin, 100s), 954);
}

TEST(Budget, UnderContentionEachSideGetsHalf) {
  Budget budget({.requests_per_second = 10, .burst = 4}, kBegin);
  int submits = 0;
  int polls = 0;
  for (MonoTime now = kBegin; now < kBegin + 100s; now += 1ms) {
    submits += budget.TryTake(Share::kSubmit, now);
    polls += budget.TryTake(Share::kPoll, now);
  }
  EXPECT_NEAR(submits, 500, 10);
  EXPECT_NEAR(polls, 500, 10);
}

TEST(Budget, NextAtIsEnoughToWait) {
  Budget budget({.requests_per_second = 3, .burst = 2}, kBegin);
  MonoTime now = kBegin;
  for (int i = 0; i < 200; ++i) {
    while (budget.TryTake(Share::kPoll, now)) {
    }
    const MonoTime next = budget.NextAt(Share::kPoll, now);
    ASSERT_GT(next, now);
    now = next;
    ASSERT_TRUE(budget.TryTake(Share::kPoll, now)) << i;
  }
}

TEST(Budget, RefundGivesBack) {
  Budget budget({.requests_per_second = 1, .burst = 2}, kBegin);
  ASSERT_TRUE(budget.TryTake(Share::kSubmit, kBegin));
  ASSERT_FALSE(budget.TryTake(Share::kSubmit, kBegin));
  budget.Refund(Share::kSubmit);
  EXPECT_TRUE(budget.TryTake(Share::kSubmit, kBegin));
}

TEST(Budget, ARateLimitBlocksHalvesAndRecovers) {
  Budget budget({.requests_per_second = 10, .burst = 10}, kBegin);
  budget.OnRateLimited(30s, kBegin);
  EXPECT_EQ(Drain(budget, Share::kPoll, kBegin, 30s), 0);
  EXPECT_EQ(budget.blocked_until(), kBegin + 30s);
  EXPECT_EQ(budget.NextAt(Share::kSubmit, kBegin), kBegin + 30s);
  EXPECT_TRUE(budget.TryTake(Share::kPoll, kBegin + 30s));

  Budget again({.requests_per_second = 10, .burst = 2}, kBegin);
  again.OnRateLimited(1s, kBegin);
  EXPECT_DOUBLE_EQ(again.rate(), 5);
  Drain(again, Share::kPoll, kBegin, 6s);
  EXPECT_DOUBLE_EQ(again.rate(), 10);
}

TEST(Budget, RetryAfterIsHeldToSaneBounds) {
  Budget budget({}, kBegin);
  budget.OnRateLimited(Duration::zero(), kBegin);
  EXPECT_EQ(budget.blocked_until(), kBegin + 1s);
  budget.OnRateLimited(24h, kBegin);
  EXPECT_EQ(budget.blocked_until(), kBegin + 10min);
}

TEST(Budget, ManyRateLimitsNeverStopItForGood) {
  Budget budget({.requests_per_second = 10, .burst = 2}, kBegin);
  for (int i = 0; i < 100; ++i) budget.OnRateLimited(1s, kBegin);
  EXPECT_GT(budget.rate(), 0.4);
}

}  // namespace
}  // namespace gateway::jobs
