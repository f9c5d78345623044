#include "jobs/owed_answers.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using Id = OwedAnswers::Id;
using Verdict = OwedAnswers::Verdict;

class OwedAnswersTest : public testing::Test {
 protected:
  Verdict Ask(const std::string& request_id, const std::string& content = "f",
              const std::string& tenant = "acme") {
    return owed_.Ask(tenant, content, request_id, Id::kMinted);
  }
  // Makes a submit that gets a job of its own and is answered; the end of its call is still to be
  // told.
  Verdict Answered(const std::string& request_id, const std::string& content = "f") {
    Verdict verdict = Ask(request_id, content);
    EXPECT_EQ(verdict.rule, AnswerRule::kOwn);
    owed_.Answered({"acme", request_id}, "job-" + request_id);
    return verdict;
  }
  void Arrives(const std::string& request_id, const std::string& content = "f") {
    Answered(request_id, content).call->Arrived();
  }
  void IsLost(const std::string& request_id, const std::string& content = "f") {
    Answered(request_id, content);
  }

  test::FakeClock clock_;
  OwedAnswers owed_{30s, clock_};
};

TEST_F(OwedAnswersTest, AnEqualCallJoinsWhatIsRunning) {
  const Verdict first = Ask("r1");
  EXPECT_EQ(first.rule, AnswerRule::kOwn);
  EXPECT_EQ(first.request_id, "r1");
  const Verdict second = Ask("r2");
  EXPECT_EQ(second.rule, AnswerRule::kJoined);
  EXPECT_EQ(second.request_id, "r1");
  EXPECT_FALSE(second.claim.has_value());
  EXPECT_EQ(Ask("r3", "other content").rule, AnswerRule::kOwn);
  EXPECT_EQ(Ask("r4", "f", "umbra").rule, AnswerRule::kOwn) << "another tenant";
}

TEST_F(OwedAnswersTest, WhatCostNothingIsOwedToNobody) {
  {
    const Verdict refused = Ask("r1");
    owed_.Dropped({"acme", "r1"});
    EXPECT_EQ(Ask("r2").rule, AnswerRule::kOwn) << "while its caller is being told";
    owed_.Dropped({"acme", "r2"});
  }
  EXPECT_EQ(owed_.size(), 0u);
}

TEST_F(OwedAnswersTest, AnAnswerThatDidNotArriveIsOwedForTenMinutes) {
  IsLost("r1");
  clock_.Advance(9min + 59s);
  {
    const Verdict again = Ask("r2");
    EXPECT_EQ(again.rule, AnswerRule::kUndelivered);
    EXPECT_EQ(again.request_id, "r1");
    ASSERT_TRUE(again.claim.has_value());
    EXPECT_EQ(again.claim->job.id, "job-r1");
  }
  clock_.Advance(10min);
  EXPECT_EQ(Ask("r3").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, AnAnswerThatSeemsToHaveArrivedIsOwedUntilItCountsAsArrived) {
  Arrives("r1");
  clock_.Advance(29s);
  {
    const Verdict again = Ask("r2");
    EXPECT_EQ(again.rule, AnswerRule::kSeemsArrived);
    EXPECT_TRUE(again.claim.has_value());
    owed_.Claimed({"acme", "r1"});
    owed_.Begun({"acme", "r1"}, "f", true);
    owed_.Answered({"acme", "r1"}, "job-r1");
    again.call->Arrived();
  }
  clock_.Advance(29s);
  Ask("r3").call->Arrived();  // the answer that was given again is an answer, too
  clock_.Advance(30s);
  EXPECT_EQ(Ask("r4").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, EqualCallsWithoutEndAreOneForTenMinutesAtMost) {
  Arrives("r0");
  int made = 0;
  for (int i = 1; i <= 60; ++i) {
    clock_.Advance(20s);
    const std::string id = "r" + std::to_string(i);
    const Verdict verdict = Ask(id);
    if (verdict.rule == AnswerRule::kOwn) {
      ++made;
      owed_.Answered({"acme", id}, "job-" + id);
    }
    verdict.call->Arrived();
  }
  EXPECT_EQ(made, 2) << "in twenty minutes";
}

TEST_F(OwedAnswersTest, WhoNamesTheJobHasSeenItsAnswer) {
  Arrives("r1");
  owed_.Named({"acme", "job-r1"});
  EXPECT_EQ(Ask("r2").rule, AnswerRule::kOwn);
  EXPECT_EQ(owed_.size(), 1u);
}

TEST_F(OwedAnswersTest, ANameBeforeTheCallHasEndedCounts) {
  Verdict first = Answered("r1");
  owed_.Named({"acme", "job-r1"});
  first.call->Arrived();
  first.call.reset();
  EXPECT_EQ(Ask("r2").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, NamingBringsNothingThatDidNotArrive) {
  IsLost("r1");
  owed_.Named({"acme", "job-r1"});  // somebody who looks at all jobs
  EXPECT_EQ(Ask("r2").rule, AnswerRule::kUndelivered);
}

TEST_F(OwedAnswersTest, OneArrivalOfSeveralIsEnough) {
  {
    Verdict first = Ask("r1");
    Verdict joined = Ask("r2");
    first.call.reset();  // its caller gave up
    owed_.Answered({"acme", "r1"}, "job-r1");
    joined.call->Arrived();
  }
  owed_.Named({"acme", "job-r1"});
  EXPECT_EQ(Ask("r3").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, AClaimThatDidNotArriveGoesBack) {
  Arrives("r1");
  {
    const Verdict claim = Ask("r2");
    owed_.Claimed({"acme", "r1"});
  }
  clock_.Advance(1min);
  const Verdict again = Ask("r3");
  EXPECT_EQ(again.rule, AnswerRule::kUndelivered)
      << "its caller repeated itself, and got nothing again";
  ASSERT_TRUE(again.claim.has_value());
  EXPECT_EQ(again.claim->claims, 1);
}

TEST_F(OwedAnswersTest, WhatIsOwedIsAQueueTheOldestFirst) {
  owed_.Recover({{"acme", "f", "r1", "job-r1", 0}, {"acme", "f", "r2", "job-r2", 3}});
  const Verdict first = Ask("x");
  EXPECT_EQ(first.request_id, "r1");
  owed_.Claimed({"acme", "r1"});
  owed_.Begun({"acme", "r1"}, "f", true);  // it is being answered from its record
  const Verdict second = Ask("y");
  EXPECT_EQ(second.request_id, "r2") << "while the first one is under way";
  EXPECT_EQ(second.claim->claims, 3);
  const Verdict third = Ask("z");
  EXPECT_EQ(third.rule, AnswerRule::kJoined) << "rather than pay";
  EXPECT_EQ(third.request_id, "r1");
  EXPECT_FALSE(third.claim.has_value());
}

TEST_F(OwedAnswersTest, ALostClaimIsNobodysAnyMore) {
  owed_.Recover({{"acme", "f", "r1", "job-r1", 0}});
  EXPECT_EQ(Ask("x").request_id, "r1");
  owed_.Lost({"acme", "r1"});
  EXPECT_EQ(Ask("y").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, AClaimThatCouldNotBeStoredChangesNothing) {
  Arrives("r1");
  {
    const Verdict claim = Ask("r2");
    owed_.NotClaimed({"acme", "r1"});
  }
  EXPECT_EQ(Ask("r3").rule, AnswerRule::kSeemsArrived);
}

// Else a caller whom a busy store turns down for a while would pay once more.
TEST_F(OwedAnswersTest, WhoseClaimCouldNotBeStoredIsAwaitedAnew) {
  Arrives("r1");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(20s);
    const Verdict claim = Ask("again");
    EXPECT_EQ(claim.request_id, "r1") << i;
    owed_.NotClaimed({"acme", "r1"});
  }
}

TEST_F(OwedAnswersTest, WhoWasTurnedDownWithAJobsAnswerIsAwaitedAnew) {
  Arrives("r1");
  for (const Duration pause : std::vector<Duration>{20s, 9min, 9min}) {
    clock_.Advance(pause);
    const Verdict again = Ask("again");
    EXPECT_EQ(again.request_id, "r1");
    owed_.Begun({"acme", "r1"}, "f", true);
    owed_.Dropped({"acme", "r1"});
  }
}

TEST_F(OwedAnswersTest, WhoCouldNotBeLookedForIsAwaitedAnew) {
  Arrives("r1");
  Arrives("r2", "g");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(20s);
    owed_.Wanted("acme", "f");
  }
  EXPECT_EQ(Ask("again").request_id, "r1");
  EXPECT_EQ(Ask("again", "g").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, WhatMetadataMayMeanComesAfterWhatIsOwed) {
  EXPECT_EQ(owed_.Ask("acme", "f", "r0", Id::kEarlier).rule, AnswerRule::kRetry);
  owed_.Dropped({"acme", "r0"});
  IsLost("r1");
  EXPECT_EQ(owed_.Ask("acme", "f", "r0", Id::kEarlier).request_id, "r1");
}

// The store may have noted long ago that the answer has arrived, and would refuse a claim.
TEST_F(OwedAnswersTest, AnOldAnswerThatWasGivenAgainIsOwedWithoutAClaim) {
  for (const Id id : {Id::kEarlier, Id::kRepeated}) {
    const std::string request = id == Id::kEarlier ? "r1" : "r2";
    const std::string content = "of " + request;
    {
      const Verdict again = owed_.Ask("acme", content, request, id);
      EXPECT_EQ(again.rule, AnswerRule::kRetry);
      owed_.Answered({"acme", request}, "job-" + request);
    }
    const Verdict third = owed_.Ask("acme", content, "x", Id::kMinted);
    EXPECT_EQ(third.request_id, request);
    EXPECT_EQ(third.rule, AnswerRule::kUndelivered);
    EXPECT_FALSE(third.claim.has_value());
  }
}

TEST_F(OwedAnswersTest, ARepetitionWhoseCallEndsBadlyIsOwedAgain) {
  Arrives("r1");
  {
    const Verdict again = owed_.Ask("acme", "f", "r1", Id::kRepeated);
  }
  clock_.Advance(5min);
  EXPECT_EQ(Ask("r2").rule, AnswerRule::kUndelivered);
}

TEST_F(OwedAnswersTest, OfWhatAProcessDiedWithNothingIsKnownAndANameIsEnough) {
  owed_.Recover({{"acme", "f", "r1", "job-r1", 0}, {"acme", "g", "r2", "job-r2", 0}});
  owed_.Named({"acme", "job-r1"});
  EXPECT_EQ(Ask("x", "f").rule, AnswerRule::kOwn);
  clock_.Advance(9min);
  EXPECT_EQ(Ask("y", "g").rule, AnswerRule::kUndelivered);
}

TEST_F(OwedAnswersTest, AnEndInOrderKeepsApartWhatIsLostAndWhatMayHaveArrived) {
  owed_.Recover({{"acme", "f", "r1", "job-r1", 0, Delivery::kLost},
                 {"acme", "g", "r2", "job-r2", 0, Delivery::kSeemsArrived}});
  owed_.Named({"acme", "job-r1"});
  clock_.Advance(30s);
  EXPECT_EQ(Ask("x", "f").rule, AnswerRule::kUndelivered);
  EXPECT_EQ(Ask("y", "g").rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, AnAnswerThatArrivesLateHasItsTimeToArrive) {
  IsLost("r1");
  clock_.Advance(9min + 50s);
  Ask("r2").call->Arrived();
  clock_.Advance(29s);
  EXPECT_EQ(Ask("r3").rule, AnswerRule::kSeemsArrived);
}

TEST_F(OwedAnswersTest, AnAttemptWithAKeyAnswersWhoeverJoinedIt) {
  const Verdict first = Ask("r1");
  owed_.Begun({"acme", "r1"}, "f", false);  // somebody sends the minted id as his own
  owed_.Answered({"acme", "r1"}, "job-r1");
  owed_.Begun({"acme", "nobody asked"}, "f", false);
  EXPECT_EQ(owed_.size(), 1u);
  EXPECT_EQ(Ask("r2").rule, AnswerRule::kJoined) << "its answer is on its way";
}

TEST_F(OwedAnswersTest, ACertainRepetitionIsNotLookedFor) {
  IsLost("r1");
  const Verdict verdict = owed_.Ask("acme", "f", "r0", Id::kRepeated);
  EXPECT_EQ(verdict.rule, AnswerRule::kRetry);
  EXPECT_EQ(verdict.request_id, "r0");
}

TEST_F(OwedAnswersTest, ARepetitionThatFailsLeavesTheAnswerOwed) {
  IsLost("r1");
  {
    const Verdict again = Ask("r2");
    owed_.Claimed({"acme", "r1"});
    owed_.Begun({"acme", "r1"}, "f", true);
    owed_.Dropped({"acme", "r1"});  // the store did not answer, say
  }
  EXPECT_EQ(Ask("r3").rule, AnswerRule::kUndelivered);
}

TEST_F(OwedAnswersTest, ARecordIsNotedAsArrivedOnceItIs) {
  const auto noted = [this](const std::string& job_id, bool minted = true) {
    JobRecord record;
    record.job.tenant = "acme";
    record.job.job_id = job_id;
    record.minted_request_id = minted;
    owed_.Note(record);
    return record.delivery == Delivery::kArrived;
  };
  IsLost("r1");
  Arrives("r2", "g");
  EXPECT_FALSE(noted("job-r1"));
  EXPECT_FALSE(noted("job-r2"));
  ASSERT_EQ(owed_.StillOwed().size(), 2u);
  for (const OwedJob& job : owed_.StillOwed()) {
    EXPECT_EQ(job.delivery, job.job_id == "job-r1" ? Delivery::kLost : Delivery::kSeemsArrived);
  }
  clock_.Advance(30s);
  EXPECT_FALSE(noted("job-r1"));
  EXPECT_TRUE(noted("job-r2"));
  EXPECT_TRUE(noted("job of long ago"));
  EXPECT_FALSE(noted("job with a key", false));
  ASSERT_EQ(owed_.StillOwed().size(), 1u);
  EXPECT_EQ(owed_.StillOwed()[0].job_id, "job-r1");
  EXPECT_EQ(owed_.StillOwed()[0].delivery, Delivery::kLost);
}

TEST_F(OwedAnswersTest, WithoutThatTimeAnArrivalIsOne) {
  OwedAnswers strict(0s, clock_);
  {
    const Verdict first = strict.Ask("acme", "f", "r1", Id::kMinted);
    strict.Answered({"acme", "r1"}, "job-r1");
    first.call->Arrived();
  }
  EXPECT_EQ(strict.Ask("acme", "f", "r2", Id::kMinted).rule, AnswerRule::kOwn);
}

TEST_F(OwedAnswersTest, BeyondTheLimitNothingNewIsTaken) {
  std::vector<OwedJob> many;
  for (std::size_t i = 0; i < limits::kOwedAnswersMax; ++i) {
    const std::string id = std::to_string(i);
    many.push_back({"acme", "f" + id, "r" + id, "job" + id, 0});
  }
  owed_.Recover(std::move(many));
  EXPECT_EQ(Ask("new", "new content").call, nullptr);
  EXPECT_EQ(Ask("new", "f7").rule, AnswerRule::kUndelivered) << "what is known is answered still";
  clock_.Advance(limits::kOwedWindow);
  EXPECT_NE(Ask("new", "new content").call, nullptr);
  EXPECT_LE(owed_.size(), 2u);
}

}  // namespace
}  // namespace gateway::jobs
