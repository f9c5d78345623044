#include "app/pressure_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace gateway::app {
namespace {

using namespace std::chrono_literals;

TEST(PressureGaugeTest, MemoryThatNobodyUsesIsGivenBackBeforeItCounts) {
  std::size_t resident = 900;
  int returns = 0;
  PressureGauge gauge(800, {.memory_bytes = [&] { return resident; },
                            .give_back =
                                [&] {
                                  ++returns;
                                  resident -= 200;
                                },
                            .lag = [] { return Duration(5ms); },
                            .store_queue = [] { return std::size_t{7}; }});
  const MonoTime now{1h};
  const Pressure pressure = gauge.Measure(now);
  EXPECT_EQ(pressure.memory_bytes, 700u);
  EXPECT_EQ(pressure.lag, 5ms);
  EXPECT_EQ(pressure.store_queue, 7u);
  resident = 900;
  EXPECT_EQ(gauge.Measure(now + 100ms).memory_bytes, 900u) << "it takes time and locks";
  EXPECT_EQ(gauge.Measure(now + 1s).memory_bytes, 700u);
  EXPECT_EQ(returns, 2);
  gauge.Measure(now + 5s);
  EXPECT_EQ(returns, 2) << "there is enough";
}

TEST(PressureGaugeTest, ALookThatIsLateItselfTellsNothingOfOtherThreads) {
  Shedding shedding;
  MonoTime now{1h};
  const auto look = [&](Duration lag, Duration late) {
    return shedding.Look(Believed({.lag = lag}, late), now += 2s);
  };
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(look(3s, 3s)) << "the machine was busy";
  EXPECT_FALSE(look(3s, 10ms));
  EXPECT_TRUE(look(3s, 10ms));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(look(0s, 3s)) << "nor that the pressure is gone";
  EXPECT_EQ(shedding.level(), 1);
  EXPECT_EQ(Believed({.memory_bytes = 7, .store_queue = 8}, 3s).store_queue, 8u);
}

TEST(PressureWatchTest, LooksUntilItEnds) {
  Shedding shedding;
  std::atomic<int> looks{0};
  std::promise<void> looked;
  {
    const PressureWatch watch(shedding,
                              PressureGauge(0, {.memory_bytes = [] { return std::size_t{0}; },
                                                .give_back = [] {},
                                                .lag =
                                                    [&] {
                                                      if (++looks == 5) looked.set_value();
                                                      return Duration(0);
                                                    },
                                                .store_queue = [] { return std::size_t{0}; }}),
                              1ms);
    looked.get_future().wait();
  }
  const int at_end = looks;
  EXPECT_GE(at_end, 5);
  EXPECT_EQ(shedding.level(), 0);
}

}  // namespace
}  // namespace gateway::app
