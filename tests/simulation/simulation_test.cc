// A few simulated days, and each safeguard taken out in turn: the same days must then go wrong.
// tests/simulation/run has ten thousand of them.
#include <gtest/gtest.h>

#include "simulation/breakages.h"
#include "simulation/notice.h"
#include "simulation/world.h"

namespace gateway::simulation {
namespace {

constexpr std::uint64_t kDays = 6;
constexpr std::uint64_t kCaughtWithin = 200;

TEST(Simulation, EverythingHolds) {
  Bugs none;
  Apply(Breakage{}, none);
  for (std::uint64_t seed = 1; seed <= kDays; ++seed) {
    World world({.seed = seed, .requests = 100});
    EXPECT_EQ(world.Run(), std::nullopt)
        << "see it again: tests/simulation/run --seeds " << seed << " --requests 100 --tell";
  }
}

TEST(Simulation, TheSameSeedIsTheSameDay) {
  Bugs none;
  Apply(Breakage{}, none);
  World first({.seed = 7, .requests = 50});
  World second({.seed = 7, .requests = 50});
  EXPECT_EQ(first.Run(), second.Run());
  EXPECT_GT(first.statistics().accepted, 0u);
  EXPECT_EQ(first.statistics().accepted, second.statistics().accepted);
  EXPECT_EQ(first.statistics().crashes, second.statistics().crashes);
  EXPECT_EQ(first.statistics().watches, second.statistics().watches);
  EXPECT_EQ(first.statistics().webhook_calls, second.statistics().webhook_calls);
}

class Breaking : public testing::TestWithParam<Breakage> {};

TEST_P(Breaking, IsNoticed) {
  Bugs bugs;
  Apply(GetParam(), bugs);
  ExpectNoticed(GetParam(), kCaughtWithin, [&bugs](std::uint64_t seed) {
    return WorldOptions{.seed = seed, .requests = 100, .bugs = bugs};
  });
  Apply(Breakage{}, bugs);
}

INSTANTIATE_TEST_SUITE_P(All, Breaking, testing::ValuesIn(kBreakages),
                         [](const auto& breakage) { return TestName(breakage); });

}  // namespace
}  // namespace gateway::simulation
