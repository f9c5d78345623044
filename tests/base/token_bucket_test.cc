#include "base/token_bucket.h"

#include <gtest/gtest.h>

#include <vector>

namespace gateway {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{1h};

TEST(TokenBucket, GivesItsBurstAndThenItsRate) {
  struct Step {
    Duration at;
    double many;
    Duration wait;  // zero: taken
  };
  struct Given {
    const char* what;
    TokenBucket::Size size;
    std::vector<Step> steps;
  };
  const Given cases[] = {
      {"a burst, then one each half second",
       {.per_second = 2, .burst = 3},
       {{0s, 1, 0s},
        {0s, 1, 0s},
        {0s, 1, 0s},
        {0s, 1, 500ms},
        {499ms, 1, 1ms},
        {500ms, 1, 0s},
        {500ms, 1, 500ms}}},
      {"several at once, or none of them",
       {.per_second = 1, .burst = 5},
       {{0s, 4, 0s}, {0s, 2, 1s}, {0s, 1, 0s}, {1s, 2, 1s}, {2s, 2, 0s}}},
      {"no more than the burst is saved up",
       {.per_second = 10, .burst = 2},
       {{0s, 2, 0s}, {24h, 2, 0s}, {24h, 1, 100ms}}},
      {"a rate below one a second",
       {.per_second = 0.25, .burst = 1},
       {{0s, 1, 0s}, {0s, 1, 4s}, {3999ms, 1, 1ms}, {4s, 1, 0s}}},
      {"a rate that divides no second",
       {.per_second = 3, .burst = 3},
       {{0s, 1, 0s}, {0s, 1, 0s}, {0s, 1, 0s}, {333ms, 1, 333'332ns}, {1s, 3, 0s}}},
      {"a clock that stands still",
       {.per_second = 1000, .burst = 1},
       {{0s, 1, 0s}, {0s, 1, 1ms}, {0s, 1, 1ms}}},
  };
  for (const Given& c : cases) {
    TokenBucket bucket;
    for (const Step& step : c.steps) {
      EXPECT_EQ(bucket.Take(c.size, kStart + step.at, step.many), step.wait)
          << c.what << ", after " << step.at.count() << " ns";
    }
  }
}

TEST(TokenBucket, WhatItSaysToWaitIsEnough) {
  for (const double per_second : {0.3, 1.0, 7.0, 333.3, 2000.0}) {
    const TokenBucket::Size size{.per_second = per_second, .burst = 4};
    TokenBucket bucket;
    MonoTime now = kStart;
    int taken = 0;
    for (int i = 0; i < 1000; ++i) {
      const Duration wait = bucket.Take(size, now);
      taken += wait == Duration::zero();
      now += wait;
    }
    EXPECT_GE(taken, 500) << per_second;
    const double seconds = std::chrono::duration<double>(now - kStart).count();
    EXPECT_NEAR(taken, 4 + seconds * per_second, 1.01) << per_second;
  }
}

TEST(TokenBucket, AHigherRateCountsFromNowOn) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.Take({.per_second = 1, .burst = 1}, kStart), 0s);
  EXPECT_EQ(bucket.Take({.per_second = 1, .burst = 1}, kStart), 1s);
  EXPECT_EQ(bucket.Take({.per_second = 100, .burst = 200}, kStart), 0s);
}

}  // namespace
}  // namespace gateway
