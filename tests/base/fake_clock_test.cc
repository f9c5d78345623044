#include "support/fake_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace gateway::test {
namespace {

TEST(FakeClock, FiresWhatFallsDueAtItsTimeIncludingWhatCallbacksAdd) {
  FakeClock clock;
  const MonoTime start = clock.Now();
  std::vector<Duration> fired;
  clock.At(start + std::chrono::seconds(2), [&] { fired.push_back(clock.Now() - start); });
  clock.At(start + std::chrono::seconds(1), [&] {
    fired.push_back(clock.Now() - start);
    clock.At(clock.Now() + std::chrono::milliseconds(500),
             [&] { fired.push_back(clock.Now() - start); });
  });
  clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(fired, (std::vector<Duration>{std::chrono::seconds(1), std::chrono::milliseconds(1500),
                                          std::chrono::seconds(2)}));
  EXPECT_EQ(clock.Now() - start, std::chrono::seconds(5));
}

TEST(FakeClock, StandsStillWhileWhatATimerBeganIsDone) {
  FakeClock clock;
  const MonoTime start = clock.Now();
  std::vector<Duration> settled;
  clock.SettleBeforeMoving([&] { settled.push_back(clock.Now() - start); });
  clock.At(start + std::chrono::seconds(1), [] {});
  clock.At(start + std::chrono::seconds(2), [] {});
  clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(settled,
            (std::vector<Duration>{Duration(0), std::chrono::seconds(1), std::chrono::seconds(2)}));
}

TEST(FakeClock, AJumpOfTheWallClockMovesNoTimer) {
  FakeClock clock;
  bool fired = false;
  clock.At(clock.Now() + std::chrono::seconds(1), [&] { fired = true; });
  clock.JumpWall(std::chrono::hours(1));
  EXPECT_FALSE(fired);
  clock.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(fired);
}

}  // namespace
}  // namespace gateway::test
