#include "jobs/estimate.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kSent{seconds(1'700'000'000)};

Durations Past(int count, seconds each) {
  Durations past;
  for (int i = 0; i < count; ++i) past.Add(each);
  return past;
}

// A job that has changed last so long after its submit, and was asked about all the time.
EstimateFacts FactsOf(seconds changed_after) {
  return {.sent_at = kSent,
          .update_time = kSent + changed_after,
          .asked_since = kSent - minutes(5),
          .quiet_least = minutes(6)};
}

seconds After(const google::protobuf::Timestamp& time) {
  return WallTime(seconds(time.seconds())) - kSent > WallTime::duration::zero()
             ? std::chrono::duration_cast<seconds>(WallTime(seconds(time.seconds())) - kSent)
             : seconds(0);
}

struct EnoughCase {
  const char* what;
  int past;
  seconds each;
  seconds taken;
  bool likely;  // there is a likely end
  int past_jobs;
  bool stalls;  // there is a time at which it stands still
};

TEST(EstimateTest, NeedsEnoughPastJobs) {
  const EnoughCase cases[] = {
      {"none", 0, seconds(100), seconds(1), false, 0, false},
      {"one too few", 4, seconds(100), seconds(1), false, 0, false},
      {"enough for an end", 5, seconds(100), seconds(1), true, 5, false},
      {"one too few to stand still", 19, seconds(100), seconds(1), true, 19, false},
      {"enough for both", 20, seconds(100), seconds(1), true, 20, true},
      {"many", 1'000, seconds(100), seconds(1), true, 100, true},
      {"none took as long", 50, seconds(100), seconds(500), false, 0, true},
      {"none took as long, and few are known", 10, seconds(100), seconds(500), false, 0, false},
  };
  for (const EnoughCase& one : cases) {
    const auto estimate =
        EstimateOf(Past(one.past, one.each), FactsOf(seconds(0)), kSent + one.taken);
    ASSERT_EQ(estimate.has_value(), one.likely || one.stalls) << one.what;
    if (!estimate.has_value()) continue;
    EXPECT_EQ(estimate->has_likely_finish_time(), one.likely) << one.what;
    EXPECT_EQ(estimate->has_late_finish_time(), one.likely) << one.what;
    EXPECT_EQ(estimate->past_jobs(), one.past_jobs) << one.what;
    EXPECT_EQ(estimate->has_stall_time(), one.stalls) << one.what;
  }
}

TEST(EstimateTest, TheLikelyEndMovesOnWithTheTimeTaken) {
  Durations past;
  for (int i = 1; i <= 100; ++i) past.Add(seconds(i));
  const auto likely = [&](int taken) {
    const auto estimate = EstimateOf(past, FactsOf(seconds(0)), kSent + seconds(taken));
    EXPECT_LE(After(estimate->likely_finish_time()), After(estimate->late_finish_time())) << taken;
    return static_cast<double>(After(estimate->likely_finish_time()).count());
  };
  EXPECT_NEAR(likely(0), 50, 7);
  EXPECT_NEAR(likely(60), 80, 9);
  EXPECT_NEAR(likely(80), 90, 10);
  for (int taken = 0; taken < 90; ++taken) EXPECT_GE(likely(taken), taken);
}

TEST(EstimateTest, AJobWhoseClockWasSetBackHasTakenNoTime) {
  const auto estimate =
      EstimateOf(Past(10, seconds(100)), FactsOf(seconds(0)), kSent - minutes(10));
  EXPECT_NEAR(static_cast<double>(After(estimate->likely_finish_time()).count()), 100, 12);
}

struct StallCase {
  const char* what;
  int each;           // what past jobs took, in seconds
  int changed_after;  // when the job changed last
  int asked_after;    // since when Pictory could be asked
  int stalls_after;   // when it stands still, about
};

TEST(EstimateTest, StandsStillWhoTakesLongerThanOthersAndDoesNotChange) {
  const StallCase cases[] = {
      {"short jobs wait for several polls", 10, 0, -300, 360},
      {"and so many after the last change", 10, 1'000, -300, 1'360},
      {"long jobs have long pauses", 6'000, 5'000, -300, 11'000},
      {"one that has not taken longer does not stand still", 6'000, 0, -300, 6'000},
      {"what could not be seen does not count", 10, 0, 2'000, 2'360},
  };
  for (const StallCase& one : cases) {
    EstimateFacts job = FactsOf(seconds(one.changed_after));
    job.asked_since = kSent + seconds(one.asked_after);
    const Durations past = Past(30, seconds(one.each));
    const auto early = EstimateOf(past, job, kSent + seconds(one.stalls_after * 8 / 10));
    ASSERT_TRUE(early.has_value() && early->has_stall_time()) << one.what;
    EXPECT_NEAR(static_cast<double>(After(early->stall_time()).count()), one.stalls_after,
                0.12 * one.stalls_after)
        << one.what;
    EXPECT_FALSE(early->stalled()) << one.what;
    const WallTime then{seconds(early->stall_time().seconds())};
    EXPECT_FALSE(EstimateOf(past, job, then - seconds(1))->stalled()) << one.what;
    EXPECT_TRUE(EstimateOf(past, job, then)->stalled()) << one.what;
  }
}

TEST(EstimateTest, SaysNothingOfStandingStillWhilePictoryCannotBeAsked) {
  EstimateFacts job = FactsOf(seconds(0));
  job.asked_since = std::nullopt;
  const auto estimate = EstimateOf(Past(30, seconds(100)), job, kSent + seconds(50));
  ASSERT_TRUE(estimate.has_value());
  EXPECT_TRUE(estimate->has_likely_finish_time());
  EXPECT_FALSE(estimate->has_stall_time());
  EXPECT_FALSE(EstimateOf(Past(30, seconds(100)), job, kSent + minutes(500)).has_value());
}

}  // namespace
}  // namespace gateway::jobs
