#include "jobs/repeat_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

int RepeatsAfter(int reads) {
  RepeatBudget budget;
  const MonoTime now{1h};
  for (int i = 0; i < reads; ++i) budget.CountRead(now);
  int repeats = 0;
  while (budget.TryRepeat(now)) ++repeats;
  return repeats;
}

TEST(RepeatBudgetTest, IsATenthOfTheReadsAndAFewInAnyCase) {
  struct Case {
    int reads;
    int repeats;
  };
  for (const auto& [reads, repeats] : {Case{0, 3}, Case{1, 3}, Case{30, 3}, Case{39, 3},
                                       Case{40, 4}, Case{100, 10}, Case{1009, 100}}) {
    EXPECT_EQ(RepeatsAfter(reads), repeats) << reads;
  }
}

// Whatever the load does, of the reads of any minute no more than a tenth are repeated.
TEST(RepeatBudgetTest, HoldsForEachMinute) {
  RepeatBudget budget;
  const MonoTime begin{1h};
  std::deque<MonoTime> reads, repeats;
  const auto drop = [](std::deque<MonoTime>& times, MonoTime now) {
    while (!times.empty() && times.front() <= now - 59s) times.pop_front();
  };
  for (int i = 0; i < 10 * 60 * 20; ++i) {
    const MonoTime now = begin + i * 50ms;
    const bool busy = (i / 1200) % 2 == 0;  // each other minute
    if (busy || i % 20 == 0) {
      budget.CountRead(now);
      reads.push_back(now);
    }
    drop(reads, now);
    drop(repeats, now);
    while (budget.TryRepeat(now)) repeats.push_back(now);
    // In its first and last second the count is to the second.
    ASSERT_LE(repeats.size(), std::max<std::size_t>(3, reads.size() / 10 + 2)) << i;
  }
  EXPECT_GT(repeats.size(), 3u);
}

TEST(RepeatBudgetTest, AMinuteLaterNothingOfItCounts) {
  RepeatBudget budget;
  const MonoTime now{1h};
  for (int i = 0; i < 100; ++i) budget.CountRead(now);
  while (budget.TryRepeat(now)) {
  }
  EXPECT_FALSE(budget.TryRepeat(now + 59s));
  for (int i = 0; i < limits::kRepeatsMin; ++i) EXPECT_TRUE(budget.TryRepeat(now + 60s));
  EXPECT_FALSE(budget.TryRepeat(now + 60s));
}

}  // namespace
}  // namespace gateway::jobs
