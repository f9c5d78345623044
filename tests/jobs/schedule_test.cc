#include "jobs/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using Kind = pictory::JobReply::Kind;

const WallTime kTaken{std::chrono::hours(24 * 20'000)};
constexpr double kMiddle = 0.5;  // no jitter either way

JobRecord Record() {
  JobRecord record;
  record.job.state = v1::JOB_STATE_RUNNING;
  record.accepted_at = kTaken;
  return record;
}

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

Duration Next(PollFacts facts, WallTime now = kTaken, double random = kMiddle) {
  static const JobRecord record = Record();
  if (facts.record == nullptr) facts.record = &record;
  return NextPollDelay(PollCurve{}, facts, now, random);
}

TEST(NextPollDelay, GrowsToACapThatDependsOnWatchers) {
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 0})), 5);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 1})), 7.5);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 2})), 11.25);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 50, .watched = true})), 30);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 50})), 120);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 1'000'000'000})), 120);
}

TEST(NextPollDelay, JitterSpreadsByAFifthEitherWay) {
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 0}, kTaken, 0)), 4);
  EXPECT_NEAR(Seconds(Next({.polls = 0}, kTaken, 0.999999)), 6, 0.001);
}

TEST(NextPollDelay, NeverFasterThanTheAccountsFairShare) {
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 0, .fair_interval = 20'000s})), 20'000);
}

TEST(NextPollDelay, AResultTooLargeIsAskedForOnceAnHourWhoeverWatches) {
  JobRecord record = Record();
  record.notice = Notice::kTooLarge;
  for (const bool watched : {false, true}) {
    EXPECT_DOUBLE_EQ(
        Seconds(
            Next({.record = &record, .polls = 1, .watched = watched, .outcome = Kind::kTooLarge})),
        3600);
  }
}

TEST(NextPollDelay, ErrorsBackOffWithFullJitterAndObeyRetryAfter) {
  const auto error = [](int errors, double random, Duration retry_after = Duration::zero()) {
    return Seconds(
        Next({.errors = errors, .outcome = Kind::kUnavailable, .retry_after = retry_after}, kTaken,
             random));
  };
  EXPECT_DOUBLE_EQ(error(1, 0), 1);
  EXPECT_NEAR(error(1, 0.999999), 2, 0.001);
  EXPECT_NEAR(error(4, 0.999999), 16, 0.001);
  EXPECT_NEAR(error(100, 0.999999), 300, 0.001);
  for (double random : {0.0, 0.3, 0.999}) {
    EXPECT_GE(error(1, random, 30s), 30);
    EXPECT_LE(error(1, random, 30s), 36);
  }
}

TEST(NextPollDelay, AFirstFailureIsConfirmedSoon) {
  JobRecord record = Record();
  record.failure_seen = true;
  EXPECT_DOUBLE_EQ(Seconds(Next({.record = &record, .polls = 40, .outcome = Kind::kFailed})), 5);
}

TEST(NextPollDelay, AFailureThatIsFollowedByAnythingElseIsNoReasonToHurry) {
  JobRecord record = Record();
  record.failure_seen = true;
  for (const Kind kind : {Kind::kUnclear, Kind::kNotFound, Kind::kUnchanged}) {
    EXPECT_DOUBLE_EQ(Seconds(Next({.record = &record, .polls = 40, .outcome = kind})), 120);
  }
}

TEST(NextPollDelay, AnIncompleteResultIsAskedForSoonAndLaterAsAnyJob) {
  JobRecord record = Record();
  record.incomplete_since = kTaken;
  record.incomplete_count = 1;
  PollFacts facts{.record = &record, .polls = 40, .outcome = Kind::kIncomplete};
  EXPECT_DOUBLE_EQ(Seconds(Next(facts)), 5);
  record.incomplete_count = limits::kResultIncompleteAnswers;
  EXPECT_DOUBLE_EQ(Seconds(Next(facts, kTaken + 119s)), 11.25);
  EXPECT_DOUBLE_EQ(Seconds(Next(facts, kTaken + 120s)), 120);
  EXPECT_DOUBLE_EQ(Seconds(Next(facts, kTaken + 24h)), 3600);
}

TEST(NextPollDelay, AnAnswerThatCannotBeReadIsAskedAgainLikeAnError) {
  EXPECT_NEAR(Seconds(Next({.errors = 4, .outcome = Kind::kUnreadable}, kTaken, 0.999999)), 16,
              0.001);
  EXPECT_GE(Seconds(Next({.errors = 1, .outcome = Kind::kUnreadable, .retry_after = 30s})), 30);
}

TEST(NextPollDelay, AJobIsNoOlderThanTheTimeSinceItCouldBeAsked) {
  const WallTime back = kTaken + 24h * 30;
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 0, .asked_since = back}, back)), 5);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 0, .asked_since = back}, back + 24h)), 3600);
}

TEST(NextPollDelay, OldAndMissingJobsAreAskedRarely) {
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 50, .watched = true}, kTaken + 30min)), 120);
  EXPECT_DOUBLE_EQ(Seconds(Next({.polls = 50, .watched = true}, kTaken + 24h)), 3600);
  JobRecord missing = Record();
  missing.job.upstream_missing = true;
  EXPECT_DOUBLE_EQ(Seconds(Next({.record = &missing, .polls = 5})), 3600);
}

// The times at which a job is polled in its first `span`, by a curve without jitter.
std::vector<double> PollTimes(PollCurve curve, bool watched, Duration span) {
  curve.jitter = 0;
  std::vector<double> times;
  const JobRecord record = Record();
  PollFacts facts{.record = &record, .watched = watched};
  for (Duration at{0};; ++facts.polls) {
    at +=
        NextPollDelay(curve, facts, kTaken + std::chrono::duration_cast<WallTime::duration>(at), 0);
    if (at > span) return times;
    times.push_back(Seconds(at));
  }
}

// How late the end of a job is seen at worst if no webhook call comes, among jobs of up to half an
// hour.
double WorstDelay(const PollCurve& curve, bool watched) {
  double worst = 0;
  double last = 0;
  for (const double at : PollTimes(curve, watched, 30min)) {
    worst = std::max(worst, at - last);
    last = at;
  }
  return worst;
}

TEST(NextPollDelay, AWatchedTenMinuteRenderNeedsAtMostFortyPolls) {
  int polls = 0;
  for (Duration at = Next({.polls = 0, .watched = true}); at < 10min;
       at += Next({.polls = polls, .watched = true}, kTaken, 0)) {
    ++polls;
  }
  EXPECT_LE(polls, 40);
  EXPECT_GE(polls, 15);
}

// The counts include the one poll that the webhook call asks for.
TEST(WithWebhooks, ATenMinuteRenderCostsFewerPolls) {
  const PollCurve hooked = WithWebhooks({});
  EXPECT_EQ(PollTimes({}, true, 10min).size(), 22u);
  EXPECT_EQ(PollTimes(hooked, true, 10min).size() + 1, 13u);
  EXPECT_EQ(PollTimes({}, false, 10min).size(), 10u);
  EXPECT_EQ(PollTimes(hooked, false, 10min).size() + 1, 8u);
}

TEST(WithWebhooks, ALostCallbackCostsAtMostTheHigherCap) {
  EXPECT_DOUBLE_EQ(WorstDelay({}, true), 30);
  EXPECT_DOUBLE_EQ(WorstDelay({}, false), 120);
  EXPECT_DOUBLE_EQ(WorstDelay(WithWebhooks({}), true), 60);
  EXPECT_DOUBLE_EQ(WorstDelay(WithWebhooks({}), false), 240);
}

TEST(WithWebhooks, ALostCallbackOfAShortJobCostsAtMostAsLongAgain) {
  double last = 0;
  for (const double at : PollTimes(WithWebhooks({}), true, 2min)) {
    EXPECT_LE(at - last, last + 5) << "a job that ended just after " << last;
    last = at;
  }
}

TEST(WithWebhooks, TheSandboxStaysQuick) {
  EXPECT_LE(WorstDelay(WithWebhooks(PollCurve::Sandbox()), true), 2);
}

TEST(FirstPollAfterRestart, SpreadsOverWhatTheBudgetCanBear) {
  EXPECT_DOUBLE_EQ(Seconds(FirstPollAfterRestart(PollCurve{}, 10, 5, 0.5)), 15);
  EXPECT_DOUBLE_EQ(Seconds(FirstPollAfterRestart(PollCurve{}, 100'000, 5, 0.5)), 10'000);
}

}  // namespace
}  // namespace gateway::jobs
