#include "jobs/durations.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

using std::chrono::duration;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Durations Of(const std::vector<seconds>& times) {
  Durations durations;
  for (const seconds time : times) durations.Add(time);
  return durations;
}

std::vector<seconds> Times(int count, seconds each) {
  return std::vector<seconds>(static_cast<std::size_t>(count), each);
}

// One each from 1 s to 100 s.
Durations UpToAHundred() {
  Durations durations;
  for (int i = 1; i <= 100; ++i) durations.Add(seconds(i));
  return durations;
}

struct WithinCase {
  const char* what;
  Durations past;
  double share;
  seconds than;
  double wanted_seconds;
};

TEST(DurationsTest, TellsWithinWhatTimeJobsHadEnded) {
  std::vector<seconds> two = Times(50, seconds(10));
  for (const seconds time : Times(50, seconds(1000))) two.push_back(time);
  const WithinCase cases[] = {
      {"all alike", Of(Times(20, seconds(60))), 0.5, seconds(0), 60},
      {"all alike, nearly all of them", Of(Times(20, seconds(60))), 0.95, seconds(0), 60},
      {"half of many", UpToAHundred(), 0.5, seconds(0), 50},
      {"nine in ten of many", UpToAHundred(), 0.9, seconds(0), 90},
      {"half of the long ones", UpToAHundred(), 0.5, seconds(60), 80},
      {"two kinds, none of them excluded", Of(two), 0.4, seconds(0), 10},
      {"two kinds, of which the short one is over", Of(two), 0.1, seconds(20), 1000},
      {"none took so long", UpToAHundred(), 0.5, seconds(200), 0},
      {"none at all", {}, 0.5, seconds(0), 0},
      {"a day", Of(Times(5, hours(24))), 0.5, seconds(0), 86'400},
      {"longer than any bucket", Of(Times(5, hours(24 * 20))), 0.5, seconds(0), 12.1 * 86'400},
  };
  for (const WithinCase& one : cases) {
    const double told = duration<double>(one.past.Within(one.share, one.than)).count();
    EXPECT_NEAR(told, one.wanted_seconds, 0.12 * one.wanted_seconds) << one.what;
  }
}

TEST(DurationsTest, NeverTellsATimeThatIsOver) {
  const Durations past = Of(Times(10, seconds(60)));
  for (int than = 0; than < 60; ++than) {
    EXPECT_GE(past.Within(0.01, seconds(than)), seconds(than)) << than;
  }
}

TEST(DurationsTest, CountsThoseThatTookLonger) {
  EXPECT_NEAR(UpToAHundred().LongerThan(seconds(80)), 20, 3);
  EXPECT_NEAR(UpToAHundred().LongerThan(seconds(0)), 100, 1e-3);
  EXPECT_EQ(UpToAHundred().LongerThan(seconds(200)), 0);
  EXPECT_EQ(Durations().count(), 0);
}

TEST(DurationsTest, OfManyJobsTheNewestCount) {
  Durations past = Of(Times(1'000, seconds(10)));
  EXPECT_NEAR(past.count(), limits::kPastJobsCounted, 1e-2);
  for (int i = 0; i < 3 * limits::kPastJobsCounted; ++i) past.Add(seconds(100));
  EXPECT_NEAR(past.count(), limits::kPastJobsCounted, 1e-2);
  EXPECT_NEAR(duration<double>(past.Within(0.5)).count(), 100, 12);
  EXPECT_LT(past.count() - past.LongerThan(seconds(50)), 0.06 * limits::kPastJobsCounted);
}

TEST(DurationsTest, AreMerged) {
  Durations few = Of(Times(3, seconds(10)));
  few.Merge(Of(Times(4, seconds(1000))));
  EXPECT_NEAR(few.count(), 7, 1e-3);
  EXPECT_NEAR(few.LongerThan(seconds(100)), 4, 1e-3);
  few.Merge(Of(Times(1'000, seconds(1000))));
  EXPECT_NEAR(few.count(), limits::kPastJobsCounted, 1e-2);
}

TEST(DurationsTest, ShortOnesAreTheFirstBuckets) {
  Durations past;
  for (int i = 0; i < 10; ++i) past.Add(milliseconds(i));
  EXPECT_NEAR(past.count(), 10, 1e-6);
  EXPECT_LE(past.Within(0.5), milliseconds(300));
  past.Add(-seconds(1));
  EXPECT_NEAR(past.count(), 11, 1e-6);
}

}  // namespace
}  // namespace gateway::jobs
