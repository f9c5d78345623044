#include "base/shedding.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "base/lag_probe.h"
#include "base/limits.h"
#include "support/fake_clock.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLimit = 1000 * limits::kMiB;

constexpr Pressure kNone{};
constexpr Pressure kBusyStore{.store_queue = limits::kPressureStoreQueue + 1};

TEST(SheddingTest, EachMeasureAloneIsPressureAndGoneOnlyWellBelow) {
  struct Measure {
    const char* name;
    Pressure holds;
    Pressure between;  // neither
    Pressure gone;
  };
  const Measure cases[] = {
      {"memory",
       {.memory_bytes = kLimit / 100 * 80 + 1},
       {.memory_bytes = kLimit / 100 * 80},
       {.memory_bytes = kLimit / 100 * 75}},
      {"lag", {.lag = 201ms}, {.lag = 200ms}, {.lag = 100ms}},
      {"store", {.store_queue = 1001}, {.store_queue = 1000}, {.store_queue = 500}},
  };
  for (const Measure& one : cases) {
    SCOPED_TRACE(one.name);
    Shedding shedding(kLimit);
    MonoTime now{1h};
    const auto after = [&](const Pressure& pressure, Duration span) {
      for (const MonoTime end = now + span; now < end; now += 100ms) shedding.Look(pressure, now);
      return shedding.level();
    };
    EXPECT_EQ(after(one.between, 10s), 0);
    EXPECT_EQ(after(one.holds, 1100ms), 1);
    EXPECT_EQ(after(one.between, 10s), 1) << "it is not gone";
    EXPECT_EQ(after(one.gone, 1100ms), 0);
  }
}

TEST(SheddingTest, OneThingMoreASecondInOrderAndOneLessASecondAfterwards) {
  Shedding shedding;
  MonoTime now{1h};
  std::vector<int> levels;
  for (int second = 0; second < 12; ++second) {
    for (int look = 0; look < 10; ++look, now += 100ms) {
      shedding.Look(second < 6 ? kBusyStore : kNone, now);
    }
    levels.push_back(shedding.level());
  }
  EXPECT_EQ(levels, (std::vector<int>{0, 1, 2, 3, 4, 4, 4, 3, 2, 1, 0, 0}));
}

TEST(SheddingTest, WhatIsShedFollowsTheOrder) {
  Shedding shedding;
  MonoTime now{1h};
  constexpr Shed kOrder[] = {Shed::kWatches, Shed::kReads, Shed::kPolls, Shed::kSubmits};
  shedding.Look(kBusyStore, now);
  for (int level = 0; level <= 4; ++level) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(shedding.Sheds(kOrder[i]), i < level) << level << i;
    shedding.Look(kBusyStore, now += 1s);
  }
  EXPECT_EQ(ShedAt(0), "nothing");
  EXPECT_EQ(ShedAt(4), "watches, reads, polls, submits");
}

TEST(SheddingTest, AShortPeakShedsNothingAndAChangingMeasureDoesNotGoUpAndDown) {
  Shedding shedding;
  MonoTime now{1h};
  int changes = 0;
  for (int i = 0; i < 600; ++i, now += 100ms) {
    // Nine of ten looks find pressure, and each tenth none.
    changes += shedding.Look(i % 10 == 9 ? kNone : kBusyStore, now);
  }
  EXPECT_EQ(changes, 0) << "it never held for a second";
}

TEST(SheddingTest, MemoryCountsOnlyIfItsLimitIsKnown) {
  Shedding shedding;
  const MonoTime now{1h};
  shedding.Look({.memory_bytes = ~std::size_t{0}}, now);
  EXPECT_FALSE(shedding.Look({.memory_bytes = ~std::size_t{0}}, now + 10s));
}

TEST(SheddingTest, RefusalsAreCountedByWhatWasRefused) {
  Shedding shedding;
  EXPECT_FALSE(shedding.Refuses(Shed::kWatches));
  shedding.Look(kBusyStore, MonoTime{1h});
  EXPECT_TRUE(shedding.Look(kBusyStore, MonoTime{1h} + 1s));
  EXPECT_TRUE(shedding.Refuses(Shed::kWatches));
  EXPECT_TRUE(shedding.Refuses(Shed::kWatches));
  EXPECT_FALSE(shedding.Refuses(Shed::kSubmits));
  EXPECT_EQ(shedding.refused(Shed::kWatches), 2u);
  EXPECT_EQ(shedding.refused(Shed::kSubmits), 0u);
}

TEST(LagProbeTest, TellsHowLateTheThreadIs) {
  test::FakeClock clock;
  std::vector<std::function<void()>> posted;
  LagProbe probe(clock, [&](std::function<void()> sign) { posted.push_back(std::move(sign)); });
  EXPECT_EQ(probe.Look(), 0ns);
  clock.Advance(300ms);
  EXPECT_EQ(probe.Look(), 300ms) << "the sign has not come";
  clock.Advance(200ms);
  EXPECT_EQ(probe.Look(), 500ms);
  ASSERT_EQ(posted.size(), 1u) << "it is asked for once";
  posted[0]();
  EXPECT_EQ(probe.Look(), 500ms) << "so late the last one came";
  ASSERT_EQ(posted.size(), 2u);
  clock.Advance(100ms);
  EXPECT_EQ(probe.Look(), 500ms);
  posted[1]();
  EXPECT_EQ(probe.Look(), 100ms);
}

TEST(LagProbeTest, ASignThatComesInsideTheCallIsNotLate) {
  test::FakeClock clock;
  LagProbe probe(clock, [](const std::function<void()>& sign) { sign(); });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(probe.Look(), 0ns);
    clock.Advance(1s);
  }
}

}  // namespace
}  // namespace gateway
