// These tests show which submits without a request_id are one and the same.
#include "jobs/submitter_rig.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;

class KeylessTest : public SubmitterTest {
 protected:
  KeylessTest() {
    transport_.SetScript([this](const http::Request&) {
      return Reply(200, R"({"data":{"jobId":"p)" + std::to_string(++made_) + R"("}})");
    });
  }

  // A submit without a request_id. The gRPC service mints one for each such submit.
  SubmitRequest Keyless(RetryEvidence retry = {}, const std::string& name = "n") {
    SubmitRequest request = Preview("minted-" + std::to_string(++minted_), name);
    request.minted_request_id = true;
    request.retry = std::move(retry);
    return request;
  }
  static RetryEvidence Mesh(const std::string& id, int count = 0) {
    return {.by_library = false, .by_mesh = count > 1, .mesh_request_id = id};
  }
  static RetryEvidence Library(int previous, const std::string& id = "", int count = 0) {
    return {.by_library = previous > 0, .by_mesh = count > 1, .mesh_request_id = id};
  }

  struct Told {
    std::string job;  // "" if it was refused
    AnswerSource source;
  };
  // Submits and gives back what the caller is told; `arrives` says whether the answer arrives.
  Told Tell(SubmitRequest request, bool arrives = true) {
    Told told;
    submitter_->Submit(std::move(request),
                       [&](const Submitter::Answer& answer, const AnswerSource& source) {
                         if (answer.ok()) told.job = std::string((*answer)->job_id());
                         if (arrives && source.call != nullptr) source.call->Arrived();
                         told.source = source;
                         told.source.call.reset();
                       });
    return told;
  }
  // Waits long enough for an answer to count as arrived, and for nothing else.
  void LetItArrive() { clock_.Advance(limits::kKeylessSettle); }
  int minted_ = 0;
  int made_ = 0;
};

TEST_F(KeylessTest, EveryShapeOfARepetitionIsPaidOnce) {
  struct Shape {
    const char* what;
    std::vector<RetryEvidence> attempts;
  };
  const std::vector<Shape> shapes = {
      {"a mesh that does not count", {Mesh("x"), Mesh("x"), Mesh("x")}},
      {"a mesh that counts", {Mesh("x", 1), Mesh("x", 2), Mesh("x", 3)}},
      {"a second hop that begins anew", {Mesh("x", 1), Mesh("x", 1), Mesh("x", 1)}},
      {"a library", {Library(0), Library(1), Library(2)}},
      {"a library through a mesh", {Library(0, "x1", 1), Library(1, "x2", 1), Library(2, "x3", 1)}},
      {"a library, and a mesh that counts",
       {Mesh("x1", 1), Mesh("x1", 2), Library(1, "x2", 1), Library(1, "x2", 2)}},
      {"a mesh that counts and names nothing", {Mesh("", 1), Mesh("", 2)}},
  };
  int content = 0;
  for (const Shape& shape : shapes) {
    for (const bool slowly : {false, true}) {
      const int before = Posts();
      const std::string name = "n" + std::to_string(++content);
      std::string job;
      for (const RetryEvidence& attempt : shape.attempts) {
        const Told told = Tell(Keyless(attempt, name));
        if (job.empty()) job = told.job;
        EXPECT_EQ(told.job, job) << shape.what;
        if (slowly) LetItArrive();
      }
      EXPECT_EQ(Posts() - before, 1) << shape.what << (slowly ? ", slowly" : "");
    }
  }
}

TEST_F(KeylessTest, AMeshThatRenamesTheCallIsPaidOnceOnlyWhileTheAnswerIsOwed) {
  Tell(Keyless(Mesh("x1", 1)));
  EXPECT_EQ(Tell(Keyless(Mesh("x2", 2))).source.rule, AnswerRule::kSeemsArrived);
  EXPECT_EQ(Posts(), 1);
  LetItArrive();
  Tell(Keyless(Mesh("x3", 2)));
  EXPECT_EQ(Posts(), 2) << "nothing can tell; the documents say so";
}

TEST_F(KeylessTest, TheMeshsIdTellsWhichOfTwoEqualCallsItIs) {
  const Told first = Tell(Keyless(Mesh("x1")));
  LetItArrive();
  const Told second = Tell(Keyless(Mesh("x2")));
  EXPECT_NE(first.job, second.job);
  EXPECT_EQ(Tell(Keyless(Mesh("x1", 2))).job, first.job);
  EXPECT_EQ(Tell(Keyless(Mesh("x2"))).job, second.job);
  EXPECT_EQ(Posts(), 2);
}

TEST_F(KeylessTest, ALibraryMayRepeatACallLongAfterItsAnswerHasArrived) {
  const Told first = Tell(Keyless(Library(0)));
  LetItArrive();
  JobRecord record = *Stored("minted-1");
  owed_.Note(record);
  ASSERT_EQ(record.delivery, Delivery::kArrived);
  store_.Update(record, {}, [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()); });
  for (int attempt = 1; attempt <= 4; ++attempt) {
    const Told again = Tell(Keyless(Library(attempt)), attempt % 2 == 0);
    EXPECT_EQ(again.job, first.job) << attempt;
    EXPECT_NE(again.source.rule, AnswerRule::kOwn);
  }
  EXPECT_EQ(Posts(), 1);
}

TEST_F(KeylessTest, AfterTenMinutesItIsANewRequest) {
  Tell(Keyless(Mesh("x")));
  clock_.Advance(limits::kMeshRetryWindow + 1s);
  Tell(Keyless(Mesh("x")));
  Tell(Keyless(Library(1), "other"));
  EXPECT_EQ(Posts(), 3);
}

TEST_F(KeylessTest, AnEqualCallJoinsARunningAttemptWhateverItsMetadataSay) {
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::vector<Submitter::Answer> answers;
  std::vector<AnswerRule> rules;
  for (const RetryEvidence& evidence :
       {RetryEvidence{}, RetryEvidence{}, Mesh("x"), Library(1, "y", 2)}) {
    submitter_->Submit(
        Keyless(evidence), [&](const Submitter::Answer& answer, const AnswerSource& source) {
          answers.push_back(answer);
          rules.push_back(source.rule);
          EXPECT_EQ(source.request_id, source.rule == AnswerRule::kOwn ? "" : "minted-1");
        });
  }
  EXPECT_EQ(Posts(), 1);
  transport_.Answer(Reply(200, kAccepted));
  ASSERT_EQ(answers.size(), 4u);
  for (const auto& answer : answers) EXPECT_EQ((*answer)->job_id(), (*answers[0])->job_id());
  EXPECT_EQ(rules, (std::vector<AnswerRule>{AnswerRule::kOwn, AnswerRule::kJoined,
                                            AnswerRule::kJoined, AnswerRule::kJoined}));
}

TEST_F(KeylessTest, TwoOnPurposeNeedTwoRequestIdsOrALookAtTheFirst) {
  const Told first = Tell(Keyless());
  EXPECT_EQ(Tell(Keyless()).job, first.job);
  owed_.Named({"default", first.job});
  EXPECT_NE(Tell(Keyless()).job, first.job);
  SubmitRequest keyed = Keyless();
  keyed.minted_request_id = false;
  EXPECT_EQ(Tell(std::move(keyed)).source.rule, AnswerRule::kOwn);
  EXPECT_EQ(Posts(), 3);
}

TEST_F(KeylessTest, ARenderOfAJobNamesIt) {
  const Told preview = Tell(Keyless());
  SubmitRequest render = Render("r", preview.job);
  Tell(std::move(render));  // not finished, but named
  EXPECT_NE(Tell(Keyless()).job, preview.job);
}

TEST_F(KeylessTest, ACallThatEndedBadlyIsOwedItsJob) {
  const Told lost = Tell(Keyless(), false);
  LetItArrive();
  clock_.Advance(5min);
  const Told again = Tell(Keyless(), false);
  EXPECT_EQ(again.job, lost.job);
  EXPECT_EQ(again.source.rule, AnswerRule::kUndelivered);
  EXPECT_EQ(again.source.request_id, "minted-1");
  clock_.Advance(5min);
  EXPECT_EQ(Tell(Keyless()).job, lost.job) << "that one was lost as well";
  EXPECT_EQ(Posts(), 1);
}

TEST_F(KeylessTest, OneUnconfirmedIsOwedAndNeverSentAgain) {
  transport_.SetScript([](const http::Request&) { return test::Cut(); });
  const Told lost = Tell(Keyless(), false);
  EXPECT_EQ(Tell(Keyless()).job, lost.job);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(KeylessTest, ARefusalIsOwedToNobody) {
  transport_.SetScript([](const http::Request&) {
    return Reply(400, R"({"code":"INVALID_REQUEST_BODY","message":"m"})");
  });
  Tell(Keyless(), false);
  Tell(Keyless());
  EXPECT_EQ(Posts(), 2);
  EXPECT_EQ(owed_.size(), 0u);
}

TEST_F(KeylessTest, WhatAProcessDiedWithIsOwedByTheNext) {
  ASSERT_TRUE(store_.Recover(clock_.WallNow()).ok());
  options_.epoch = 1;
  Make({.requests_per_second = 1000, .burst = 1000});
  const Told told = Tell(Keyless());  // it may have arrived, but this was never written down
  auto recovered = store_.Recover(clock_.WallNow());
  ASSERT_EQ(recovered->owed.size(), 1u);
  EXPECT_EQ(recovered->owed[0].job_id, told.job);
  EXPECT_EQ(recovered->owed[0].request_id, "minted-1");
}

TEST_F(KeylessTest, AClaimOfAnotherGatewayIsRespected) {
  const Told lost = Tell(Keyless(), false);
  store_.Claim({{"default", lost.job}, 0}, [](const auto& claimed) { EXPECT_TRUE(*claimed); });
  EXPECT_NE(Tell(Keyless()).job, lost.job);
  EXPECT_EQ(Posts(), 2);
}

TEST_F(KeylessTest, WhoeverIsStillThereKeepsTheAttemptGoing) {
  Make({.requests_per_second = 2, .burst = 2});
  Tell(Keyless({}, "takes the budget"));
  int answered = 0;
  SubmitRequest first = Keyless();
  first.cancelled = std::make_shared<std::atomic<bool>>(false);
  first.deadline = clock_.Now() + 600ms;
  const auto gone = first.cancelled;
  submitter_->Submit(std::move(first), [&](const auto&, const auto&) { ++answered; });
  submitter_->Submit(Keyless(), [&](const Submitter::Answer& answer, const auto&) {
    EXPECT_TRUE(answer.ok()) << answer.status();
    ++answered;
  });
  EXPECT_EQ(Posts(), 1);
  *gone = true;
  clock_.Advance(1s);
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(Posts(), 2);
}

TEST_F(KeylessTest, WithNobodyLeftNothingIsSent) {
  Make({.requests_per_second = 2, .burst = 2});
  Tell(Keyless({}, "takes the budget"));
  auto gone = std::make_shared<std::atomic<bool>>(false);
  for (int i = 0; i < 2; ++i) {
    SubmitRequest request = Keyless();
    request.cancelled = gone;
    submitter_->Submit(std::move(request), [](const Submitter::Answer& answer, const auto&) {
      EXPECT_TRUE(absl::IsCancelled(answer.status()));
    });
  }
  *gone = true;
  clock_.Advance(1s);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(KeylessTest, WhatIsNotSentWhenTheProgramEndsIsNotSentAnyMore) {
  Make({.requests_per_second = 2, .burst = 2});
  Tell(Keyless({}, "takes the budget"));
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("waits"), Into(answer));
  submitter_->AnswerUnconfirmed();
  clock_.Advance(1s);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(errors::Reason(answer->status()), "DRAINING");
  EXPECT_EQ(Stored("waits")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(Posts(), 1);
}

// Else a caller whom a busy store turns down for a while would pay once more.
TEST_F(KeylessTest, WhomABusyStoreTurnsDownIsAwaitedAnew) {
  const Told first = Tell(Keyless());
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(limits::kKeylessSettle - 1s);
    store_.finds_nothing = true;
    EXPECT_EQ(Tell(Keyless(Library(1))).job, "");
    store_.finds_nothing = false;
  }
  EXPECT_EQ(Tell(Keyless()).job, first.job);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(KeylessTest, AtTheEndWhomTheStoreIsTooBusyToTellIsToldAMomentLater) {
  for (const bool answers : {false, true}) {
    transport_.SetScript([](const http::Request&) { return std::nullopt; });
    Make({.requests_per_second = 1000, .burst = 1000});
    const std::string id = answers ? "r3" : "r2";
    std::optional<Submitter::Answer> answer;
    submitter_->Submit(Preview(id), Into(answer));
    store_.busy_for = 4;  // at once, when the last tries begin, and twice later
    submitter_->AnswerUnconfirmed();
    clock_.Advance(limits::kLateWriteAtEnd);
    ASSERT_FALSE(answer.has_value());
    if (answers) transport_.Answer(Reply(200, R"({"data":{"jobId":"p-late"}})"));
    clock_.Advance(3 * limits::kLateWriteAtEnd);
    ASSERT_TRUE(answer.has_value() && answer->ok());
    EXPECT_EQ((**answer)->state, answers ? v1::JOB_STATE_QUEUED : v1::JOB_STATE_UNCONFIRMED);
    EXPECT_EQ((**answer)->revision, 1);
    if (!answers) transport_.Answer(Reply(200, R"({"data":{"jobId":"p-early"}})"));
    EXPECT_EQ(submitter_->running(), 0u);
  }
}

// The answer has tries of its own, however often the telling has failed.
TEST_F(KeylessTest, AnAnswerThatComesAfterTheTellingWasGivenUpIsStored) {
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  store_.busy_for = 1'000'000;
  submitter_->AnswerUnconfirmed();
  clock_.Advance(10s);
  EXPECT_FALSE(answer.has_value());
  transport_.Answer(Reply(200, kAccepted));
  clock_.Advance((limits::kLateWritesAtEnd - 1) * limits::kLateWriteAtEnd);
  store_.busy_for = 0;
  clock_.Advance(limits::kLateWriteAtEnd);
  ASSERT_TRUE(answer.has_value() && answer->ok());
  EXPECT_EQ(Stored("r1")->job.pictory_job_id, "p1");
  EXPECT_EQ(submitter_->running(), 0u);
}

class EndOfProgramTest : public KeylessTest {
 protected:
  EndOfProgramTest() {
    transport_.SetScript([](const http::Request&) { return std::nullopt; });
    submitter_->Submit(Preview("r1"), Into(answer_));
    submitter_->AnswerUnconfirmed();
  }
  std::optional<Submitter::Answer> answer_;
};

TEST_F(EndOfProgramTest, WhoWaitsIsToldThatTheOutcomeIsUnknownDurably) {
  ASSERT_TRUE(answer_.has_value() && answer_->ok());
  EXPECT_EQ((**answer_)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((**answer_)->revision, 1);
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kUnknown);
  EXPECT_EQ(submitter_->running(), 1u) << "its answer is still awaited";
}

TEST_F(EndOfProgramTest, AnAnswerThatComesStillIsRecorded) {
  transport_.Answer(Reply(200, kAccepted));
  const JobRecord record = *Stored("r1");
  EXPECT_EQ(record.submission, SubmissionState::kAccepted);
  EXPECT_EQ(record.job.state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(record.job.pictory_job_id, "p1");
  EXPECT_EQ(record.job.revision, 2);
  EXPECT_EQ(record.job.message, "");
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(EndOfProgramTest, AnAnswerThatTheStoreIsTooBusyForIsRecordedAMomentLater) {
  store_.busy_for = 3;
  transport_.Answer(Reply(200, kAccepted));
  EXPECT_EQ(submitter_->running(), 1u);
  clock_.Advance(3s);
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kAccepted);
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(EndOfProgramTest, ARefusalThatComesStillEndsTheJob) {
  transport_.Answer(Reply(400, R"({"code":"INVALID_REQUEST_BODY","message":"no scenes"})"));
  const JobRecord record = *Stored("r1");
  EXPECT_EQ(record.job.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(record.job.error_code, "UPSTREAM_INVALID");
  EXPECT_EQ(record.job.revision, 2);
  EXPECT_TRUE(record.job.finish_time.has_value());
  EXPECT_TRUE(IsVisible(record)) << "its caller knows it";
  EXPECT_TRUE(store_.Recover(clock_.WallNow())->spent.empty());
}

TEST_F(EndOfProgramTest, NoAnswerLeavesItAsItWasTold) {
  transport_.Answer(test::Cut());
  EXPECT_EQ(Stored("r1")->job.state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(Stored("r1")->job.revision, 1);
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(EndOfProgramTest, ARefusedTokenIsNotTriedAgain) {
  transport_.Answer(Reply(401, R"({"message":"Unauthorized"})"));
  EXPECT_EQ(Posts(), 1);
  EXPECT_EQ(Stored("r1")->job.state, v1::JOB_STATE_FAILED);
}

}  // namespace
}  // namespace gateway::jobs
