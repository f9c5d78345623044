#include "support/fake_clock.h"

#include <gtest/gtest.h>
#include <time.h>

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

TEST(FakeClock, OfASuspendedMachineOnlyTheTimeSinceItsBootGoesOn) {
  FakeClock clock;
  const MonoTime now = clock.Now();
  const BootTime since_boot = clock.BootNow();
  clock.Suspend(std::chrono::hours(1));
  EXPECT_EQ(clock.Now(), now);
  EXPECT_EQ(clock.BootNow() - since_boot, std::chrono::hours(1));
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(clock.BootNow() - since_boot, std::chrono::seconds(3601));
}

// Elsewhere the two clocks of a machine that was never suspended agree, so this says which it is.
TEST(SystemClock, TheTimeSinceTheBootIsThatOfTheKernel) {
  const auto kernel = [] {
    timespec now{};
    EXPECT_EQ(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    return BootTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  };
  const BootTime before = kernel();
  const BootTime read = SystemClock().BootNow();
  EXPECT_LE(before, read);
  EXPECT_LE(read, kernel());
}

}  // namespace
}  // namespace gateway::test
