#include "app/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace gateway::app {
namespace {

TEST(Watchdog, BitesOnceTheTimeIsOver) {
  std::promise<void> bitten;
  Watchdog watchdog(std::chrono::milliseconds(1), [&] { bitten.set_value(); });
  bitten.get_future().wait();
}

TEST(Watchdog, IsCalledOff) {
  std::atomic<bool> bitten = false;
  {
    const Watchdog watchdog(std::chrono::hours(1), [&] { bitten = true; });
  }
  EXPECT_FALSE(bitten);
}

}  // namespace
}  // namespace gateway::app
