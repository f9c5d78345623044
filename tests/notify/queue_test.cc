#include "notify/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace gateway::notify {
namespace {

using jobs::JobKey;
using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr MonoTime kStart{};

std::string Name(const JobKey& job) { return job.tenant + job.id; }

std::vector<std::string> All(Queue& queue, MonoTime now = kStart) {
  std::vector<std::string> taken;
  while (const auto job = queue.Next(now)) taken.push_back(Name(*job));
  return taken;
}

TEST(Queue, ServesTenantsInTurn) {
  Queue queue({});
  for (const char* id : {"1", "2", "3"}) queue.Add({{"a", id}}, kStart);
  queue.Add({{"b", "1"}}, kStart);
  queue.Add({{"c", "1"}}, kStart);
  EXPECT_THAT(All(queue), ElementsAre("a1", "b1", "c1", "a2", "a3"));
}

TEST(Queue, NothingComesBeforeItsTime) {
  Queue queue({});
  queue.Add({{"a", "1"}}, kStart + 5s);
  queue.Add({{"a", "2"}}, kStart + 1s);
  EXPECT_EQ(queue.next_due(), kStart + 1s);
  EXPECT_THAT(All(queue), ElementsAre());
  EXPECT_THAT(All(queue, kStart + 1s), ElementsAre("a2"));
  queue.Add({{"a", "1"}}, kStart + 2s);
  EXPECT_EQ(queue.next_due(), kStart + 2s) << "sooner";
  queue.Add({{"a", "1"}}, kStart + 9s);
  EXPECT_EQ(queue.next_due(), kStart + 2s) << "not later";
}

TEST(Queue, BoundsWhatIsUnderWayInAllAndOfATenant) {
  Queue queue({.in_flight = 3, .in_flight_of_host = 9, .in_flight_of_tenant = 2});
  for (const char* id : {"1", "2", "3"}) queue.Add({{"a", id}}, kStart);
  for (const char* id : {"1", "2"}) queue.Add({{"b", id}}, kStart);
  EXPECT_THAT(All(queue), ElementsAre("a1", "b1", "a2"));
  queue.Finish({"b", "1"}, std::nullopt);
  EXPECT_THAT(All(queue), ElementsAre("b2")) << "a has its two";
  queue.Finish({"a", "1"}, std::nullopt);
  EXPECT_THAT(All(queue), ElementsAre("a3"));
}

TEST(Queue, AHostThatIsSlowHoldsUpNoOther) {
  Queue queue({.in_flight = 3, .in_flight_of_host = 1, .in_flight_of_tenant = 3});
  for (const char* id : {"1", "2", "3", "4"}) queue.Add({{"a", id}}, kStart);
  ASSERT_EQ(Name(*queue.Next(kStart)), "a1");
  ASSERT_TRUE(queue.EnterHost({"a", "1"}, "slow"));
  ASSERT_EQ(Name(*queue.Next(kStart)), "a2");
  EXPECT_FALSE(queue.EnterHost({"a", "2"}, "slow"));
  EXPECT_EQ(queue.in_flight(), 1u) << "it waits aside";
  ASSERT_EQ(Name(*queue.Next(kStart)), "a3");
  ASSERT_TRUE(queue.EnterHost({"a", "3"}, "quick"));
  queue.Finish({"a", "3"}, std::nullopt);
  ASSERT_EQ(Name(*queue.Next(kStart)), "a4");
  EXPECT_FALSE(queue.EnterHost({"a", "4"}, "slow"));
  EXPECT_THAT(All(queue), ElementsAre());
  queue.Finish({"a", "1"}, kStart + 5s);
  EXPECT_THAT(All(queue), ElementsAre("a2")) << "in the order in which they came";
  ASSERT_TRUE(queue.EnterHost({"a", "2"}, "slow"));
  EXPECT_THAT(All(queue, kStart + 5s), ElementsAre()) << "its host is known to be full";
  queue.Finish({"a", "2"}, std::nullopt);
  EXPECT_THAT(All(queue, kStart + 5s), ElementsAre("a4"));
  ASSERT_TRUE(queue.EnterHost({"a", "4"}, "slow"));
  queue.Finish({"a", "4"}, std::nullopt);
  EXPECT_THAT(All(queue, kStart + 5s), ElementsAre("a1"));
  queue.Finish({"a", "1"}, std::nullopt);
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.in_flight(), 0u);
}

// A job that waits aside may be deleted before its turn, or told elsewhere.
TEST(Queue, WhoMakesNoUseOfItsPlaceLeavesItToTheNext) {
  Queue queue({.in_flight = 9, .in_flight_of_host = 1, .in_flight_of_tenant = 9});
  for (const char* id : {"1", "2", "3", "4"}) queue.Add({{"a", id}}, kStart);
  ASSERT_THAT(All(queue), ElementsAre("a1", "a2", "a3", "a4"));
  ASSERT_TRUE(queue.EnterHost({"a", "1"}, "slow"));
  for (const char* id : {"2", "3", "4"}) EXPECT_FALSE(queue.EnterHost({"a", id}, "slow"));
  queue.Finish({"a", "1"}, std::nullopt);
  ASSERT_THAT(All(queue), ElementsAre("a2"));
  queue.Finish({"a", "2"}, std::nullopt);
  ASSERT_THAT(All(queue), ElementsAre("a3")) << "a2 was gone";
  ASSERT_TRUE(queue.EnterHost({"a", "3"}, "other"));
  EXPECT_THAT(All(queue), ElementsAre("a4")) << "a3 goes elsewhere";
}

TEST(Queue, WhatChangesWhileItIsUnderWayComesAgain) {
  Queue queue({});
  queue.Add({{"a", "1"}}, kStart);
  ASSERT_THAT(All(queue), ElementsAre("a1"));
  queue.Add({{"a", "1"}}, kStart + 1s);
  EXPECT_THAT(All(queue, kStart + 1s), ElementsAre()) << "it has one turn at a time";
  queue.Finish({"a", "1"}, std::nullopt);
  EXPECT_THAT(All(queue, kStart + 1s), ElementsAre("a1"));
  queue.Finish({"a", "1"}, std::nullopt);
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.size_of("a"), 0u);
}

TEST(Queue, CountsThoseOfATenant) {
  Queue queue({});
  queue.Add({{"a", "1"}}, kStart);
  queue.Add({{"a", "1"}}, kStart);
  queue.Add({{"a", "2"}}, kStart);
  queue.Add({{"b", "1"}}, kStart);
  EXPECT_EQ(queue.size_of("a"), 2u);
  EXPECT_EQ(queue.size(), 3u);
}

TEST(Queue, WhatIsOfALostShardGoesWhereverItIs) {
  Queue queue({.in_flight = 3, .in_flight_of_host = 1, .in_flight_of_tenant = 3});
  const auto add = [&queue](const std::string& id, std::int32_t shard, MonoTime due = kStart) {
    queue.Add({{"a", id}, shard}, due);
  };
  add("way", 1);
  add("aside", 1);
  add("stays", 2);
  EXPECT_THAT(All(queue), ElementsAre("aaside", "astays", "away"));
  EXPECT_TRUE(queue.EnterHost({"a", "way"}, "host"));
  EXPECT_FALSE(queue.EnterHost({"a", "aside"}, "host"));
  add("ready", 1);
  add("due", 1, kStart + 1s);
  add("way", 1, kStart);
  queue.DropLost([](std::int32_t shard) { return shard != 1; });
  EXPECT_EQ(queue.size(), 2u) << "who is under way ends with its turn";
  EXPECT_EQ(queue.next_due(), MonoTime::max());
  queue.Finish({"a", "way"}, kStart);
  queue.Finish({"a", "stays"}, kStart);
  EXPECT_THAT(All(queue), ElementsAre("astays"));
  EXPECT_EQ(queue.size_of("a"), 1u);
}

TEST(Queue, AShardThatComesBackMeanwhileIsNotLost) {
  Queue queue({});
  queue.Add({{"a", "1"}, 1}, kStart);
  EXPECT_THAT(All(queue), ElementsAre("a1"));
  queue.DropLost([](std::int32_t) { return false; });
  queue.Add({{"a", "1"}, 1}, kStart + 1s);
  queue.Finish({"a", "1"}, std::nullopt);
  EXPECT_THAT(All(queue, kStart + 1s), ElementsAre("a1"));
}

}  // namespace
}  // namespace gateway::notify
