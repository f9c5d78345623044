#include "app/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MemoryThere Container(std::size_t mib) { return {.bytes = mib * limits::kMiB, .container = true}; }
MemoryThere Machine(std::size_t mib) { return {.bytes = mib * limits::kMiB, .container = false}; }

TEST(MemoryPlanTest, TheLimitIsWhatWasSaidElseTheContainersElseHalfOfTheMachine) {
  Config config;
  EXPECT_EQ(MemoryLimitOf(config, Container(512)), 512 * limits::kMiB);
  EXPECT_EQ(MemoryLimitOf(config, Machine(512)), 256 * limits::kMiB);
  config.memory_limit_mib = 300;
  EXPECT_EQ(MemoryLimitOf(config, Container(512)), 300 * limits::kMiB);
}

TEST(MemoryPlanTest, NothingIsSaidOfTheDefaultsFromTheSmallestSizeOn) {
  for (const int mib : {limits::kMemorySmallestMiB, 512, 1024, 65'536}) {
    EXPECT_THAT(MemoryWarnings({}, Container(static_cast<std::size_t>(mib))), IsEmpty()) << mib;
  }
}

TEST(MemoryPlanTest, BelowTheSmallestSizeItSaysHowMuchIsNeeded) {
  EXPECT_THAT(MemoryWarnings({.max_job_reply_mib = 1}, Container(255)),
              ElementsAre(AllOf(HasSubstr("limit is 255 MiB"), HasSubstr("needs 256 MiB"),
                                HasSubstr("raise the container's memory limit to 256 MiB"))));
  EXPECT_THAT(
      MemoryWarnings({.max_job_reply_mib = 1, .memory_limit_mib = 100}, Machine(8192)),
      ElementsAre(AllOf(HasSubstr("limit is 100 MiB"), HasSubstr("raise --memory-limit-mib"))));
  EXPECT_THAT(
      MemoryWarnings({.max_job_reply_mib = 1}, Machine(400)),
      ElementsAre(AllOf(HasSubstr("limit is 200 MiB"), HasSubstr("raise --memory-limit-mib"))));
}

TEST(MemoryPlanTest, ALimitAboveWhatThereIsIsNamed) {
  EXPECT_THAT(
      MemoryWarnings({.memory_limit_mib = 1024}, Container(512)),
      ElementsAre(AllOf(HasSubstr("--memory-limit-mib is 1024"), HasSubstr("container has 512 MiB"),
                        HasSubstr("set it to 512 at most, or leave it out"))));
  EXPECT_THAT(MemoryWarnings({.memory_limit_mib = 1024}, Machine(512)),
              ElementsAre(HasSubstr("machine has 512 MiB")));
  EXPECT_THAT(MemoryWarnings({.memory_limit_mib = 512}, Machine(512)), IsEmpty());
}

TEST(MemoryPlanTest, WatchesAreAsManyAsHalfOfTheMemoryHolds) {
  EXPECT_EQ(WatchesMaxOf({}, Container(64)), limits::kWatchesMin);
  EXPECT_EQ(WatchesMaxOf({}, Container(256)), 80 * 1024 / 41);
  EXPECT_EQ(WatchesMaxOf({}, Container(512)), 208 * 1024 / 41);
  EXPECT_EQ(WatchesMaxOf({}, Container(4096)), limits::kWatchesMax);
  EXPECT_EQ(WatchesMaxOf({.max_watches = 7}, Container(64)), 7);
  EXPECT_EQ(WatchesMaxOf({.max_watches = 100'000}, Container(64)), 100'000) << "said so";
}

TEST(MemoryPlanTest, FinishedJobsAreKeptInASixteenthOfIt) {
  EXPECT_EQ(FinishedJobsMaxBytesOf({}, Container(256)), 16 * limits::kMiB);
  EXPECT_EQ(FinishedJobsMaxBytesOf({.memory_limit_mib = 512}, Machine(65'536)), 32 * limits::kMiB);
  EXPECT_EQ(FinishedJobsMaxBytesOf({}, Container(65'536)), limits::kFinishedJobsMaxBytes);
}

TEST(MemoryPlanTest, WatchesThatDoNotFitAreNamed) {
  EXPECT_THAT(MemoryWarnings({.max_watches = 20'000}, Container(512)),
              ElementsAre(AllOf(HasSubstr("--max-watches is 20000"), HasSubstr("849 MiB"),
                                HasSubstr("limit is 512 MiB"), HasSubstr("set it to 11588 at most"),
                                HasSubstr("raise the container's memory limit to 849 MiB"))));
  EXPECT_THAT(MemoryWarnings({.max_watches = 11'588}, Container(512)), IsEmpty());
}

TEST(MemoryPlanTest, RepliesThatDoNotFitAreNamed) {
  EXPECT_THAT(MemoryWarnings({.max_job_reply_mib = 512}, Container(1024)),
              ElementsAre(AllOf(HasSubstr("--max-job-reply-mib is 512"), HasSubstr("1584 MiB"),
                                HasSubstr("set it to 325 at most"))));
  EXPECT_THAT(MemoryWarnings({.max_job_reply_mib = 325}, Container(1024)), IsEmpty());
}

TEST(MemoryPlanTest, EachSettingHasItsOwnLine) {
  EXPECT_EQ(
      MemoryWarnings({.max_job_reply_mib = 512, .max_watches = 100'000, .memory_limit_mib = 128},
                     Container(100))
          .size(),
      4u);
}

}  // namespace
}  // namespace gateway::app
