// A few simulated days of several gateways on one database, and each promise of that database
// broken in turn: the same days must then go wrong. `tests/simulation/run --gateways 2-4` has more
// of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "simulation/breakages.h"
#include "simulation/notice.h"
#include "simulation/world.h"

namespace gateway::simulation {
namespace {

constexpr std::uint64_t kDays = 20;
constexpr std::uint64_t kCaughtWithin = 200;

// Two, three or four gateways, for fewer hours: each of them adds to what a day costs.
WorldOptions SharedDay(std::uint64_t seed, const Bugs& bugs) {
  return {.seed = seed,
          .gateways = static_cast<int>(2 + seed % 3),
          .requests = 60,
          .length = std::chrono::hours(4),
          .bugs = bugs};
}

std::string Again(std::uint64_t seed) {
  return "see it again: tests/simulation/run --gateways " + std::to_string(2 + seed % 3) +
         " --seeds " + std::to_string(seed) + " --requests 60 --hours 4 --tell";
}

TEST(SharedSimulation, EverythingHolds) {
  Bugs none;
  Apply(Breakage{}, none);
  for (std::uint64_t seed = 1; seed <= kDays; ++seed) {
    World world(SharedDay(seed, none));
    EXPECT_EQ(world.Run(), std::nullopt) << Again(seed);
  }
}

TEST(SharedSimulation, TheSameSeedIsTheSameDay) {
  World first(SharedDay(7, {}));
  World second(SharedDay(7, {}));
  EXPECT_EQ(first.Run(), second.Run());
  EXPECT_GT(first.statistics().accepted, 0u);
  EXPECT_EQ(first.statistics().accepted, second.statistics().accepted);
  EXPECT_EQ(first.statistics().crashes, second.statistics().crashes);
  EXPECT_EQ(first.statistics().stops, second.statistics().stops);
  EXPECT_EQ(first.statistics().watches, second.statistics().watches);
}

class BreakingShared : public testing::TestWithParam<SharedBreakage> {};

TEST_P(BreakingShared, IsNoticed) {
  Bugs bugs;
  Apply(GetParam(), bugs);
  ExpectNoticed(GetParam(), kCaughtWithin,
                [&bugs](std::uint64_t seed) { return SharedDay(seed, bugs); });
}

// These show on none of the first forty days.
bool IsRare(const SharedBreakage& breakage) {
  return breakage.name == "untold-gap" || breakage.name == "guess-lost-answers";
}

std::vector<SharedBreakage> Those(bool rare) {
  std::vector<SharedBreakage> those;
  std::copy_if(kSharedBreakages.begin(), kSharedBreakages.end(), std::back_inserter(those),
               [rare](const SharedBreakage& breakage) { return IsRare(breakage) == rare; });
  return those;
}

INSTANTIATE_TEST_SUITE_P(All, BreakingShared, testing::ValuesIn(Those(/*rare=*/false)),
                         [](const auto& breakage) { return TestName(breakage); });
INSTANTIATE_TEST_SUITE_P(Rare, BreakingShared, testing::ValuesIn(Those(/*rare=*/true)),
                         [](const auto& breakage) { return TestName(breakage); });

}  // namespace
}  // namespace gateway::simulation
