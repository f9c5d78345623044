#include "jobs/advance.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

const WallTime kStart{std::chrono::hours(24 * 20'000)};

JobRecord Accepted(JobKind kind = v1::JOB_KIND_RENDER) {
  JobRecord record = test::RecordOf(SubmissionState::kAccepted, "j", kStart);
  record.job.kind = kind;
  return record;
}

pictory::JobReply ReplyOf(Kind kind) {
  pictory::JobReply reply;
  reply.kind = kind;
  return reply;
}

pictory::JobReply Running(double percent) {
  pictory::JobReply reply = ReplyOf(Kind::kRunning);
  reply.progress_percent = percent;
  return reply;
}

pictory::JobReply Succeeded() {
  pictory::JobReply reply = ReplyOf(Kind::kSucceeded);
  reply.result = std::make_shared<pictory::JobResult>(pictory::JobResult{"wire", {}});
  reply.shown_kind = v1::JOB_KIND_RENDER;
  return reply;
}

TEST(Advance, RunningRaisesTheRevisionOnceAndProgressNeverFalls) {
  Advanced a = Advance(Accepted(), Running(40), kStart + std::chrono::seconds(5));
  EXPECT_TRUE(a.visible);
  EXPECT_EQ(a.record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(a.record.job.revision, 2);
  EXPECT_EQ(a.record.job.update_time, kStart + std::chrono::seconds(5));

  Advanced same = Advance(a.record, Running(40), kStart + std::chrono::seconds(6));
  EXPECT_FALSE(same.visible);
  EXPECT_FALSE(same.store);
  EXPECT_EQ(same.record.job.revision, 2);

  Advanced back = Advance(a.record, Running(10), kStart + std::chrono::seconds(7));
  EXPECT_FALSE(back.visible);
  EXPECT_EQ(back.record.job.progress_percent, 40);
  EXPECT_EQ(Advance(a.record, Running(250), kStart).record.job.progress_percent, 100);
}

TEST(Advance, RepliesThatSayNothingChangeNothing) {
  for (Kind kind : {Kind::kUnavailable, Kind::kRateLimited, Kind::kCredentials, Kind::kUnchanged}) {
    const Advanced a = Advance(Accepted(), ReplyOf(kind), kStart + std::chrono::seconds(5));
    EXPECT_FALSE(a.store) << static_cast<int>(kind);
  }
}

TEST(Advance, SuccessBringsTheResultAndIsFinal) {
  const Advanced a = Advance(Accepted(v1::JOB_KIND_UNSPECIFIED), Succeeded(), kStart);
  EXPECT_EQ(a.record.job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(a.record.job.kind, v1::JOB_KIND_RENDER);
  EXPECT_EQ(a.record.job.result_wire, "wire");
  EXPECT_EQ(a.record.job.progress_percent, 100);
  EXPECT_EQ(a.record.job.finish_time, kStart);

  for (Kind kind : {Kind::kRunning, Kind::kFailed, Kind::kCleaned, Kind::kNotFound}) {
    const Advanced later = Advance(a.record, ReplyOf(kind), kStart + std::chrono::hours(999));
    EXPECT_FALSE(later.store);
    EXPECT_EQ(later.record, a.record);
    EXPECT_EQ(later.contradiction, kind == Kind::kFailed);
  }
}

TEST(Advance, AFailureIsConfirmedByASecondReply) {
  pictory::JobReply failed = ReplyOf(Kind::kFailed);
  failed.error_code = "TEXT_TO_VIDEO_FAILED";
  failed.error_message = "no such speaker";
  failed.result = std::make_shared<pictory::JobResult>(
      pictory::JobResult{"wire", {{v1::RESULT_PART_RESULT_JSON, "{}"}}});
  const Advanced first = Advance(Accepted(), failed, kStart);
  EXPECT_FALSE(first.visible);
  EXPECT_TRUE(first.store);
  EXPECT_TRUE(PartsToStore(first.record, failed).empty());
  const Advanced second = Advance(first.record, failed, kStart);
  EXPECT_EQ(second.record.job.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(second.record.job.error_code, "TEXT_TO_VIDEO_FAILED");
  EXPECT_EQ(second.record.job.error_message, "no such speaker");
  EXPECT_EQ(second.record.job.result_wire, "wire");
  EXPECT_EQ(PartsToStore(second.record, failed).size(), 1u);
}

TEST(Advance, AFailureTakenBackStartsOver) {
  const Advanced first = Advance(Accepted(), ReplyOf(Kind::kFailed), kStart);
  const Advanced flap = Advance(first.record, Running(5), kStart);
  EXPECT_FALSE(flap.record.failure_seen);
  const Advanced again = Advance(flap.record, ReplyOf(Kind::kFailed), kStart);
  EXPECT_EQ(again.record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Advance(first.record, Succeeded(), kStart).record.job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST(Advance, AnUnknownJobIsPendingAtFirst) {
  const Advanced a =
      Advance(Accepted(), ReplyOf(Kind::kNotFound), kStart + std::chrono::seconds(59));
  EXPECT_FALSE(a.store);
}

TEST(Advance, AnUnknownJobBecomesMissingThenExpires) {
  JobRecord record = Accepted();
  WallTime now = kStart + std::chrono::minutes(2);
  for (int i = 0; i < 4; ++i) {
    record = Advance(record, ReplyOf(Kind::kNotFound), now).record;
    now += std::chrono::minutes(4);
  }
  EXPECT_FALSE(record.job.upstream_missing);
  Advanced fifth = Advance(record, ReplyOf(Kind::kNotFound), now);
  EXPECT_TRUE(fifth.visible);
  EXPECT_TRUE(fifth.record.job.upstream_missing);
  EXPECT_EQ(fifth.record.job.state, v1::JOB_STATE_QUEUED);

  EXPECT_FALSE(Advance(fifth.record, Running(1), now).record.job.upstream_missing);
  const Advanced last =
      Advance(fifth.record, ReplyOf(Kind::kNotFound), kStart + std::chrono::hours(25));
  EXPECT_EQ(last.record.job.state, v1::JOB_STATE_EXPIRED);
  EXPECT_EQ(last.record.job.error_code, "UPSTREAM_MISSING");
}

TEST(Advance, FiveUnknownsInAQuickRowAreNotYetMissing) {
  JobRecord record = Accepted();
  for (int i = 0; i < 9; ++i) {
    record = Advance(record, ReplyOf(Kind::kNotFound), kStart + std::chrono::minutes(2)).record;
  }
  EXPECT_FALSE(record.job.upstream_missing);
}

pictory::JobReply Incomplete(bool with_something) {
  pictory::JobReply reply = ReplyOf(Kind::kIncomplete);
  reply.message = "Pictory says completed, but gives no result";
  if (with_something) {
    reply.stands_in = true;
  }
  reply.result = std::make_shared<pictory::JobResult>(pictory::JobResult{"something", {}});
  return reply;
}

TEST(Advance, AnIncompleteResultIsWaitedForAndTheJobSaysSo) {
  const Advanced first = Advance(Accepted(), Incomplete(false), kStart);
  EXPECT_EQ(first.record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(first.record.job.message, "Pictory says completed, but gives no result");
  const Advanced late = Advance(first.record, Succeeded(), kStart + 6 * limits::kStaleAfter);
  EXPECT_EQ(late.record.job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(late.record.job.message, "");
}

TEST(Advance, WhatIsThereInPlaceOfAResultIsTakenAfterSomeTimeAndSomeAnswers) {
  for (const bool something : {true, false}) {
    const auto ask = [&](const JobRecord& record, Duration after) {
      return Advance(record, Incomplete(something),
                     kStart + std::chrono::duration_cast<WallTime::duration>(after));
    };
    JobRecord record = ask(Accepted(), Duration(0)).record;
    record = ask(record, std::chrono::seconds(60)).record;
    record = ask(record, std::chrono::seconds(119)).record;
    EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING);
    const Advanced last = ask(record, std::chrono::seconds(120));
    EXPECT_EQ(last.record.job.state, something ? v1::JOB_STATE_SUCCEEDED : v1::JOB_STATE_RUNNING);
    EXPECT_EQ(last.record.job.result_wire, something ? "something" : "");
    if (!something) {
      EXPECT_FALSE(ask(last.record, std::chrono::seconds(180)).store);
    }
  }
}

TEST(Advance, ARestartBetweenTwoIncompleteAnswersTakesNothingAtTheFirstOneAfter) {
  JobRecord record = Advance(Accepted(), Incomplete(true), kStart).record;
  for (int answers = 2; answers < limits::kResultIncompleteAnswers; ++answers) {
    record = Advance(record, Incomplete(true), kStart + std::chrono::hours(1)).record;
    EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING);
  }
  // After a long break even so many answers do not count.
  JobRecord many = record;
  many.incomplete_count = limits::kResultIncompleteAnswers;
  const WallTime after = kStart + std::chrono::hours(99);
  const Asked first_answer = AfterAnswer({.answered = kStart, .since = kStart}, after);
  EXPECT_EQ(Advance(many, Incomplete(true), after, first_answer).record.job.state,
            v1::JOB_STATE_RUNNING);
}

TEST(Advance, IncompleteAnswersCountInARow) {
  JobRecord record = Advance(Accepted(), Incomplete(true), kStart).record;
  record = Advance(record, Incomplete(true), kStart).record;
  record = Advance(record, Running(99), kStart).record;
  EXPECT_EQ(record.job.message, "");
  record = Advance(record, Incomplete(true), kStart + std::chrono::hours(1)).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(record.incomplete_count, 1);
}

TEST(Advance, AJobThatStaysIncompleteExpiresWithThatReason) {
  JobRecord record = Advance(Accepted(), Incomplete(false), kStart).record;
  record = Advance(record, Incomplete(false), kStart + limits::kExpiresAfter).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_EXPIRED);
  EXPECT_EQ(record.job.error_code, "RESULT_INCOMPLETE");
  EXPECT_EQ(record.job.result_wire, "something") << "for a person to look at";
  EXPECT_EQ(record.job.message, "");
}

pictory::JobReply Puzzling(Kind kind, const std::string& words) {
  pictory::JobReply reply = ReplyOf(kind);
  reply.message = words;
  return reply;
}

TEST(Advance, WhatIsNotUnderstoodIsToldOnceUntilPictorySpeaksClearly) {
  for (const Kind kind : {Kind::kUnclear, Kind::kUnreadable}) {
    pictory::JobReply running = Running(5);
    running.message = "Generating video";
    const JobRecord before = Advance(Accepted(), running, kStart).record;
    const Advanced first = Advance(before, Puzzling(kind, "HTTP 400: no"), kStart);
    EXPECT_TRUE(first.visible);
    EXPECT_EQ(first.record.job.state, v1::JOB_STATE_RUNNING);
    EXPECT_EQ(first.record.job.message, "HTTP 400: no");
    EXPECT_FALSE(Advance(first.record, Puzzling(kind, "HTTP 400: no"), kStart).store);
    const Advanced other = Advance(first.record, Puzzling(kind, "HTTP 400: other"), kStart);
    EXPECT_EQ(other.record.job.message, "HTTP 400: other");
    // A reply that says nothing of the job takes nothing back.
    for (const Kind silent : {Kind::kUnavailable, Kind::kRateLimited, Kind::kCredentials,
                              Kind::kUnchanged, Kind::kLarge}) {
      EXPECT_FALSE(Advance(other.record, ReplyOf(silent), kStart).store);
    }
    EXPECT_EQ(Advance(other.record, running, kStart).record.job.message, "Generating video");
    EXPECT_EQ(Advance(other.record, Running(5), kStart).record.job.message, "");
    EXPECT_EQ(Advance(other.record, ReplyOf(Kind::kFailed), kStart).record.job.message, "");
    EXPECT_EQ(Advance(other.record, ReplyOf(Kind::kCleaned), kStart).record.job.message, "");
    EXPECT_EQ(Advance(other.record, Succeeded(), kStart).record.job.message, "");
    const JobRecord old =
        Advance(other.record, Puzzling(kind, "HTTP 400: no"), kStart + limits::kExpiresAfter)
            .record;
    EXPECT_EQ(old.job.state, v1::JOB_STATE_EXPIRED);
    EXPECT_EQ(old.job.message, "");
  }
}

TEST(Advance, OnlyWhoSpeaksOfAJobKnowsIt) {
  JobRecord missing = Accepted();
  missing.job.upstream_missing = true;
  EXPECT_FALSE(Advance(missing, Puzzling(Kind::kUnclear, "?"), kStart).record.job.upstream_missing);
  EXPECT_TRUE(
      Advance(missing, Puzzling(Kind::kUnreadable, "?"), kStart).record.job.upstream_missing);
}

TEST(Advance, AfterAWeekInWhichNobodyCouldAskAJobStartsItsTimeAnew) {
  const WallTime last = kStart + std::chrono::hours(1);
  const Asked before{.answered = last, .since = kStart};
  const WallTime back = last + std::chrono::hours(24 * 30);
  JobRecord record = Accepted();
  record.not_found_since = last;
  record.not_found_count = 100;
  record.job.upstream_missing = true;
  // The job does not end while nobody answers, nor at the first answer, whatever that is.
  for (const Kind kind :
       {Kind::kUnavailable, Kind::kRateLimited, Kind::kCredentials, Kind::kUnreadable}) {
    EXPECT_FALSE(IsFinal(Advance(record, Puzzling(kind, ""), back, before).record.job.state));
  }
  const Asked after = AfterAnswer(before, back);
  for (const Kind kind : {Kind::kRunning, Kind::kUnclear, Kind::kUnchanged, Kind::kNotFound}) {
    const JobRecord next = Advance(record, ReplyOf(kind), back, after).record;
    EXPECT_FALSE(IsFinal(next.job.state)) << static_cast<int>(kind);
    EXPECT_FALSE(next.job.stale);
  }
  // The job ends seven days later, if it is asked about all the time.
  const WallTime end = back + limits::kExpiresAfter;
  const Asked asked{.answered = end, .since = back};
  EXPECT_EQ(Advance(record, Running(1), end, asked).record.job.state, v1::JOB_STATE_EXPIRED);
  EXPECT_EQ(Advance(record, Running(1), end - std::chrono::seconds(1), asked).record.job.state,
            v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Advance(record, ReplyOf(Kind::kNotFound), back + limits::kMissingExpiresAfter,
                    {.answered = back + limits::kMissingExpiresAfter, .since = back})
                .record.job.error_code,
            "UPSTREAM_MISSING");
}

TEST(Advance, AClockThatIsSetEndsNoJob) {
  const std::chrono::hours year(24 * 365);
  for (const auto jump : {year, -year, std::chrono::hours(9 * 24), std::chrono::hours(-9 * 24)}) {
    Asked asked{.answered = kStart, .since = kStart};
    JobRecord record = Accepted();
    const WallTime now = kStart + jump;
    for (const Kind kind : {Kind::kUnavailable, Kind::kRunning, Kind::kNotFound}) {
      if (pictory::Speaks(kind)) asked = AfterAnswer(asked, now);
      record = Advance(record, ReplyOf(kind), now, asked).record;
      ASSERT_FALSE(IsFinal(record.job.state)) << jump.count();
    }
    // The clock is set back to the right time, and a week passes.
    asked = AfterAnswer(asked, kStart + std::chrono::hours(1));
    record = Advance(record, Running(1), kStart + std::chrono::hours(1), asked).record;
    ASSERT_FALSE(IsFinal(record.job.state)) << jump.count();
    const WallTime end = kStart + std::chrono::hours(1) + limits::kExpiresAfter;
    asked.answered = end;
    EXPECT_EQ(Advance(record, Running(1), end, asked).record.job.state, v1::JOB_STATE_EXPIRED);
  }
}

TEST(Advance, AJobAcceptedByAClockThatWasAheadStillEnds) {
  const WallTime right = kStart - std::chrono::hours(24 * 365);
  Asked asked = AfterAnswer({.answered = kStart, .since = kStart}, right);
  asked.answered = right + limits::kExpiresAfter;
  EXPECT_EQ(Advance(Accepted(), Running(1), asked.answered, asked).record.job.state,
            v1::JOB_STATE_EXPIRED);
}

TEST(Advance, TimeAloneMakesAJobStaleAndThenExpired) {
  const Advanced stale =
      Advance(Accepted(), ReplyOf(Kind::kUnavailable), kStart + limits::kStaleAfter);
  EXPECT_TRUE(stale.visible);
  EXPECT_TRUE(stale.record.job.stale);
  const Advanced expired =
      Advance(stale.record, ReplyOf(Kind::kUnchanged), kStart + limits::kExpiresAfter);
  EXPECT_EQ(expired.record.job.state, v1::JOB_STATE_EXPIRED);
  EXPECT_EQ(expired.record.job.error_code, "EXPIRED");
}

TEST(Advance, CleanedIsAnEndOfItsOwn) {
  const Advanced a = Advance(Accepted(), ReplyOf(Kind::kCleaned), kStart);
  EXPECT_EQ(a.record.job.state, v1::JOB_STATE_CLEANED);
  EXPECT_TRUE(a.record.job.result_wire.empty());
}

TEST(Advance, AResultTooLargeWaitsForAnOperatorHoweverLong) {
  pictory::JobReply large = ReplyOf(Kind::kTooLarge);
  large.message = "raise --max-job-reply-mib";
  const Advanced first = Advance(Accepted(), large, kStart + std::chrono::minutes(1));
  EXPECT_TRUE(first.visible);
  EXPECT_EQ(first.record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(first.record.job.message, large.message);
  EXPECT_FALSE(Advance(first.record, large, kStart + std::chrono::minutes(2)).store);
  const WallTime late = kStart + 10 * limits::kExpiresAfter;
  for (const Kind kind : {Kind::kTooLarge, Kind::kUnavailable, Kind::kLarge, Kind::kUnreadable}) {
    pictory::JobReply reply = ReplyOf(kind);
    if (kind == Kind::kTooLarge) reply = large;
    const Advanced later = Advance(first.record, reply, late);
    EXPECT_EQ(later.record.job.state, v1::JOB_STATE_RUNNING);
    EXPECT_EQ(later.record.job.message, large.message);
  }
  EXPECT_EQ(Advance(first.record, Succeeded(), late).record.job.state, v1::JOB_STATE_SUCCEEDED);
  for (const Kind kind : {Kind::kRunning, Kind::kUnclear, Kind::kIncomplete}) {  // once, in between
    EXPECT_FALSE(IsFinal(Advance(first.record, ReplyOf(kind), late).record.job.state));
  }
  const Advanced back = Advance(first.record, Running(5), kStart + std::chrono::minutes(3));
  EXPECT_EQ(back.record.notice, Notice::kNone);
  EXPECT_EQ(back.record.job.message, "");
}

// Whatever Pictory says in whatever order, ranks never fall, revisions rise by one, and final
// states stay.
TEST(Advance, NoSequenceOfRepliesMovesAJobBack) {
  constexpr Kind kAll[] = {Kind::kRunning,     Kind::kSucceeded,   Kind::kIncomplete,
                           Kind::kFailed,      Kind::kCleaned,     Kind::kNotFound,
                           Kind::kUnclear,     Kind::kUnchanged,   Kind::kRateLimited,
                           Kind::kCredentials, Kind::kUnavailable, Kind::kTooLarge,
                           Kind::kLarge,       Kind::kUnreadable};
  std::uint64_t seed = 42;
  const auto next = [&seed](std::uint64_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % below;
  };
  for (int run = 0; run < 2000; ++run) {
    JobRecord record = Accepted();
    WallTime now = kStart;
    for (int step = 0; step < 30; ++step) {
      now += std::chrono::minutes(next(90));
      pictory::JobReply reply = ReplyOf(kAll[next(std::size(kAll))]);
      if (next(2) == 0) reply.progress_percent = static_cast<double>(next(120));
      const Advanced a = Advance(record, reply, now);
      ASSERT_GE(Rank(a.record.job.state), Rank(record.job.state));
      ASSERT_EQ(a.record.job.revision, record.job.revision + (a.visible ? 1 : 0));
      ASSERT_GE(a.record.job.progress_percent.value_or(0), record.job.progress_percent.value_or(0));
      if (IsFinal(record.job.state)) {
        ASSERT_EQ(a.record, record);
      }
      record = a.record;
    }
  }
}

}  // namespace
}  // namespace gateway::jobs
