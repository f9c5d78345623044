#include "base/timer_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace gateway {
namespace {

TEST(TimerThread, FiresInOrderOfTime) {
  SystemClock clock;
  std::vector<int> fired;  // written by the one timer thread, read after `done`
  std::promise<void> done;
  TimerThread timers(clock);
  const MonoTime now = clock.Now();
  timers.At(now + std::chrono::milliseconds(30), [&] {
    fired.push_back(3);
    done.set_value();
  });
  timers.At(now + std::chrono::milliseconds(10), [&] { fired.push_back(1); });
  timers.At(now + std::chrono::milliseconds(20), [&] { fired.push_back(2); });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
}

TEST(TimerThread, PastTimesFireAtOnceAndCancelledOnesNever) {
  SystemClock clock;
  TimerThread timers(clock);
  bool cancelled_ran = false;
  const auto id = timers.At(clock.Now() + std::chrono::hours(1), [&] { cancelled_ran = true; });
  EXPECT_TRUE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(id));
  std::promise<void> done;
  timers.At(MonoTime::min(), [&] { done.set_value(); });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_FALSE(cancelled_ran);
}

TEST(TimerThread, CallbacksMaySetAndCancelTimers) {
  SystemClock clock;
  TimerThread timers(clock);
  std::promise<void> done;
  timers.At(clock.Now(), [&] {
    const auto id = timers.At(clock.Now() + std::chrono::hours(1), [] {});
    EXPECT_TRUE(timers.Cancel(id));
    timers.At(clock.Now(), [&] { done.set_value(); });
  });
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(TimerThread, StopDropsWhatIsPendingAndReleasesIt) {
  SystemClock clock;
  auto held = std::make_shared<int>(1);
  {
    TimerThread timers(clock);
    timers.At(clock.Now() + std::chrono::hours(1), [held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace gateway
