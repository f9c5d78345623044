#include "app/memory_return.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace gateway::app {
namespace {

constexpr std::size_t kMiB = limits::kMiB;

TEST(ReturnRuleTest, WhatIsKeptForTwoLooksIsDue) {
  ReturnRule rule;
  EXPECT_FALSE(rule.Due(80 * kMiB)) << "it may be used again at once";
  EXPECT_TRUE(rule.Due(80 * kMiB));
}

TEST(ReturnRuleTest, WhatIsUsedAgainIsNot) {
  ReturnRule rule;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(rule.Due(80 * kMiB));
    EXPECT_FALSE(rule.Due(2 * kMiB));
  }
}

TEST(ReturnRuleTest, ALittleIsNot) {
  ReturnRule rule;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(rule.Due(limits::kMemoryKeptMaxBytes));
}

TEST(ReturnRuleTest, WhatCannotBeGivenBackIsNotAskedForAgain) {
  ReturnRule rule;
  rule.Due(80 * kMiB);
  EXPECT_TRUE(rule.Due(80 * kMiB));
  rule.Returned(50 * kMiB);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(rule.Due(50 * kMiB + limits::kMemoryKeptMaxBytes));
  EXPECT_FALSE(rule.Due(80 * kMiB));
  EXPECT_TRUE(rule.Due(80 * kMiB)) << "there is more of it";
}

TEST(ReturnRuleTest, OnceTheRestIsUsedItCountsNoMore) {
  ReturnRule rule;
  rule.Returned(50 * kMiB);
  EXPECT_FALSE(rule.Due(1 * kMiB));
  EXPECT_FALSE(rule.Due(40 * kMiB));
  EXPECT_TRUE(rule.Due(40 * kMiB));
}

TEST(MemoryReturnTest, GivesBackWhatIsKeptAndThenRests) {
  std::atomic<std::size_t> kept{80 * kMiB};
  std::atomic<int> looks{0}, returns{0};
  std::promise<void> rested;
  {
    const MemoryReturn memory({.interval = std::chrono::milliseconds(1),
                               .kept =
                                   [&] {
                                     if (++looks == 20) rested.set_value();
                                     return kept.load();
                                   },
                               .give_back =
                                   [&] {
                                     ++returns;
                                     kept = kMiB;
                                   }});
    rested.get_future().wait();
  }
  EXPECT_EQ(returns, 1);
}

TEST(MemoryReturnTest, EndsWithoutWaitingForItsNextLook) {
  const MemoryReturn memory({.interval = std::chrono::hours(1),
                             .kept = [] { return std::size_t{0}; },
                             .give_back = [] { ADD_FAILURE(); }});
}

}  // namespace
}  // namespace gateway::app
