#include <optional>
#include <vector>

#include "resolver_rig.h"

namespace gateway::jobs {
namespace {

TEST_F(ResolverTest, AWebhookCallResolvesOnlyWhatPictoryItselfConfirms) {
  Unconfirmed();
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  CallBack(kToken, "p1");
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown) << "not by the callback alone";
  ASSERT_EQ(transport_.held(), 1u);
  EXPECT_EQ(transport_.oldest_held().path, "/v1/jobs/p1");
  EXPECT_LE(transport_.oldest_held().max_body_bytes, limits::kSmallReplyMaxBytes)
      << "many may come at once";
  transport_.Answer(Reply(200, kRunning));
  EXPECT_EQ(Stored().submission, SubmissionState::kAccepted);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
  EXPECT_EQ(hub_.Find("default", "j1")->state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(hub_.Find("default", "j1")->revision, 2);
  EXPECT_EQ(poller_->followed(), 1u);
  EXPECT_EQ(resolver_->unconfirmed(), 0u);
  EXPECT_EQ(resolved_, std::vector<std::string>{"hint"});
}

TEST_F(ResolverTest, AStrangersCallbackDoesNothing) {
  Unconfirmed();
  CallBack("ffffffffffffffffffffffffffffffff", "p1");
  CallBack("", "p1");
  CallBack(kToken, "");
  CallBack(kToken, "not an id");
  clock_.Advance(1h);
  EXPECT_TRUE(transport_.requests().empty());
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
}

TEST_F(ResolverTest, AJobPictoryDoesNotKnowIsNotAdopted) {
  Unconfirmed();
  transport_.AnswerAllWith(Reply(404, R"({"message":"x"})"));
  CallBack(kToken, "p1");
  clock_.Advance(10min);
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
  EXPECT_GT(Asked("p1"), 1) << "right after the accept Pictory may not know it yet";
  const int asked = Asked("p1");
  clock_.Advance(24h);
  EXPECT_EQ(Asked("p1"), asked) << "a wrong hint is not followed for ever";
  transport_.AnswerAllWith(Reply(200, kRunning));
  CallBack(kToken, "p2");
  EXPECT_EQ(Stored().job.pictory_job_id, "p2") << "a later hint is";
}

TEST_F(ResolverTest, AWrongHintDoesNotHideARightOne) {
  Unconfirmed();
  transport_.SetScript([](const http::Request& request) {
    return request.path == "/v1/jobs/right" ? Reply(200, kRunning) : Reply(404, "{}");
  });
  CallBack(kToken, "wrong");
  CallBack(kToken, "right");
  CallBack(kToken, "wrong-too");
  clock_.Advance(10min);
  EXPECT_EQ(Stored().job.pictory_job_id, "right");
}

TEST_F(ResolverTest, WhileTheStoreIsBusyTheHintIsKept) {
  Unconfirmed();
  store_.busy_for = 2;
  CallBack(kToken, "p1");
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
  clock_.Advance(1min);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, WhilePictoryIsAwayTheHintIsKept) {
  Unconfirmed();
  transport_.AnswerAllWith(Reply(503, "x"));
  CallBack(kToken, "p1");
  clock_.Advance(2h);
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
  EXPECT_LT(Asked("p1"), 60) << "asked less and less often";
  transport_.AnswerAllWith(Reply(200, kRunning));
  clock_.Advance(6min);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, ManyCallbacksAreOneQuestionEveryTwoSeconds) {
  Unconfirmed();
  transport_.AnswerAllWith(Reply(404, "{}"));
  for (int i = 0; i < 1000; ++i) {
    CallBack(kToken, "p" + std::to_string(i));
    clock_.Advance(10ms);
  }
  EXPECT_LE(transport_.requests().size(), 6u);
}

TEST_F(ResolverTest, QuestionsWaitForTheBudget) {
  Make({.requests_per_second = 1, .burst = 1});
  std::vector<Upstream::Turn> taken;
  while (std::optional<Upstream::Turn> turn = upstream_->TryTake(Purpose::kLook)) {
    taken.push_back(*std::move(turn));
  }
  Unconfirmed();
  CallBack(kToken, "p1");
  EXPECT_TRUE(transport_.requests().empty());
  clock_.Advance(3s);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, ACallbackBeforeTheAnswerIsRememberedInCaseTheAnswerNeverComes) {
  JobRecord record = Put(SubmissionState::kSending);
  CallBack(kToken, "p1");
  EXPECT_TRUE(transport_.requests().empty()) << "the answer says more";
  record.submission = SubmissionState::kUnknown;
  record.job.state = v1::JOB_STATE_UNCONFIRMED;
  record.job.revision = 1;
  Store(record);
  hub_.Publish(record);
  resolver_->OnChange(record);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, AWrongCallbackBeforeTheAnswerDoesNotHideTheRightOne) {
  transport_.SetScript([](const http::Request& request) {
    return request.path.ends_with("/wrong") ? Reply(404, R"({"message":"JOB_NOT_FOUND"})")
                                            : Reply(200, kRunning);
  });
  const std::string tokens[] = {std::string(32, 'a'), std::string(32, 'b')};
  for (const bool wrong_first : {false, true}) {
    const std::string id = wrong_first ? "j2" : "j1", right = "of-" + id,
                      token = tokens[wrong_first];
    JobRecord record = Put(SubmissionState::kSending, id, token);
    if (wrong_first) CallBack(token, "wrong");
    CallBack(token, right);
    if (!wrong_first) CallBack(token, "wrong");
    record.submission = SubmissionState::kUnknown;
    record.job.state = v1::JOB_STATE_UNCONFIRMED;
    record.job.revision = 1;
    Store(record);
    hub_.Publish(record);
    resolver_->OnChange(record);
    clock_.Advance(2 * limits::kNotFoundGrace);
    EXPECT_EQ(Stored(id).job.pictory_job_id, right);
  }
}

// The store knows that the job is unconfirmed a moment before the resolver is told.
TEST_F(ResolverTest, ACallbackBetweenTheOutcomeAndItsAnnouncementIsNotLost) {
  JobRecord record = Put(SubmissionState::kUnknown);
  CallBack(kToken, "p1");
  record.job.state = v1::JOB_STATE_UNCONFIRMED;
  hub_.Publish(record);
  resolver_->OnChange(record);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, ACallbackForAFollowedJobIsWorthOnePollInTwoSeconds) {
  JobRecord record = Put(SubmissionState::kAccepted);
  record.job.pictory_job_id = "p1";
  record.job.state = v1::JOB_STATE_QUEUED;
  record.job.revision = 1;
  record.accepted_at = clock_.WallNow();
  Store(record);
  poller_->OnChange(record, hub_.Publish(record));
  CallBack(kToken, "p1");
  EXPECT_EQ(Asked("p1"), 1);
  for (int i = 0; i < 100; ++i) {
    CallBack(kToken, i % 2 == 0 ? "p1" : "");
    clock_.Advance(10ms);
  }
  EXPECT_EQ(Asked("p1"), 1);
  CallBack(kToken, "of-another");
  clock_.Advance(1100ms);
  EXPECT_EQ(Asked("p1"), 2);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(ResolverTest, AJobOfAnotherIsNeverTaken) {
  Unconfirmed();
  JobRecord other = Put(SubmissionState::kAccepted, "j2", "other-token");
  other.job.pictory_job_id = "p2";
  Store(other);
  CallBack(kToken, "p2");
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
  EXPECT_EQ(foreign_, std::vector<std::string>{"p2"});
  const auto answer = Resolve(Adopt("p2"));
  EXPECT_EQ(errors::Reason(answer.status()), "PICTORY_JOB_TAKEN");
}

TEST_F(ResolverTest, APersonAdoptsOrAbandonsAndMayRepeatIt) {
  Unconfirmed();
  transport_.AnswerAllWith(Reply(404, "{}"));
  EXPECT_EQ(errors::Reason(Resolve(Adopt("p1")).status()), "PICTORY_JOB_NOT_FOUND");
  transport_.AnswerAllWith(Reply(503, "x"));
  EXPECT_EQ(Resolve(Adopt("p1")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Resolve(Adopt("two words")).status().code(), absl::StatusCode::kInvalidArgument);
  transport_.AnswerAllWith(Reply(200, kRunning));
  const auto adopted = Resolve(Adopt("p1"));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(adopted->job().pictory_job_id(), "p1");
  EXPECT_EQ(adopted->job().state(), v1::JOB_STATE_QUEUED);
  EXPECT_TRUE(Resolve(Adopt("p1")).ok());
  EXPECT_EQ(errors::Reason(Resolve(Adopt("p2")).status()), "JOB_NOT_UNCONFIRMED");
  EXPECT_EQ(errors::Reason(Resolve(Abandon()).status()), "JOB_NOT_UNCONFIRMED");

  Unconfirmed("j2", "another-token");
  const auto abandoned = Resolve(Abandon("j2"));
  ASSERT_TRUE(abandoned.ok()) << abandoned.status();
  EXPECT_EQ(abandoned->job().state(), v1::JOB_STATE_OUTCOME_UNKNOWN);
  EXPECT_TRUE(abandoned->job().has_finish_time());
  EXPECT_EQ(Stored("j2").submission, SubmissionState::kAbandoned);
  EXPECT_TRUE(Resolve(Abandon("j2")).ok());
  EXPECT_EQ(resolved_, (std::vector<std::string>{"adopt", "abandon"}));
  EXPECT_EQ(errors::Reason(Resolve(Abandon("nobody")).status()), "JOB_NOT_FOUND");
}

// Pictory has said after all which job it was. The job that was given up shows the id, and is
// polled no more than before.
TEST_F(ResolverTest, WhatWasGivenUpIsNotAdoptedBecauseItsIdIsKnown) {
  Unconfirmed();
  ASSERT_TRUE(Resolve(Abandon()).ok());
  JobRecord record = Stored();
  record.job.pictory_job_id = "p1";
  ++record.job.revision;
  ledger_->Update({.record = record},
                  [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  EXPECT_EQ(errors::Reason(Resolve(Adopt("p1")).status()), "JOB_NOT_UNCONFIRMED");
  EXPECT_TRUE(Resolve(Abandon()).ok());
}

TEST_F(ResolverTest, TwoDecisionsAtOnceAreOne) {
  Unconfirmed();
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::optional<absl::StatusOr<v1::ResolveJobResponse>> first;
  resolver_->Resolve("default", Adopt("p1"), [&](auto given) { first = std::move(given); });
  EXPECT_EQ(errors::Reason(Resolve(Abandon()).status()), "JOB_BEING_SETTLED");
  transport_.Answer(Reply(200, kRunning));
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->ok());
}

TEST_F(ResolverTest, CandidatesAreWhatNobodyOwnsAndMayBeYounger) {
  JobRecord before = Put(SubmissionState::kAccepted, "j0", "t0");
  before.job.pictory_job_id = "before";
  before.accepted_at = clock_.WallNow();
  Store(before);
  clock_.Advance(limits::kClockSlack + 1min);
  Unconfirmed();
  JobRecord after = Put(SubmissionState::kAccepted, "j2", "t2");
  after.job.pictory_job_id = "after";
  after.accepted_at = clock_.WallNow() + 1s;
  Store(after);
  transport_.SetScript([](const http::Request& request) {
    if (request.path == "/v1/jobs") {
      return Reply(200, R"({"items":[{"data":{"jobId":"mine?","status":"in-progress"}},
          {"data":{"jobId":"after","status":"completed"}}],"nextPageKey":"k="})");
    }
    EXPECT_EQ(request.path, "/v1/jobs?nextPageKey=k%3D");
    return Reply(
        200,
        R"({"items":[{"data":{"jobId":"or-mine","status":"completed","videoURL":"https://x/v.mp4"}},
        {"data":{"jobId":"before","status":"completed"}},
        {"data":{"jobId":"too-old","status":"completed"}}],"nextPageKey":"more"})");
  });
  v1::ResolveJobRequest request;
  request.set_job_id("j1");
  const auto answer = Resolve(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->job().state(), v1::JOB_STATE_UNCONFIRMED);
  ASSERT_EQ(answer->candidates_size(), 2);
  EXPECT_EQ(answer->candidates(0).pictory_job_id(), "mine?");
  EXPECT_EQ(answer->candidates(0).status(), "in-progress");
  EXPECT_EQ(answer->candidates(1).pictory_job_id(), "or-mine");
  EXPECT_EQ(answer->candidates(1).kind(), v1::JOB_KIND_RENDER);
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown) << "nothing is adopted by likeness";
}

TEST_F(ResolverTest, AfterAWeekUnconfirmedAJobIsStaleAndStillThere) {
  Unconfirmed();
  clock_.Advance(7 * 24h - 1min);
  EXPECT_FALSE(Stored().job.stale);
  EXPECT_EQ(resolver_->oldest_age(), 7 * 24h - 1min);
  clock_.Advance(2h);
  EXPECT_TRUE(Stored().job.stale);
  EXPECT_TRUE(ToProto(*hub_.Find("default", "j1")).stale());
  EXPECT_EQ(hub_.Find("default", "j1")->revision, 2);
  clock_.Advance(30 * 24h);
  EXPECT_EQ(Stored().job.revision, 2);
  EXPECT_EQ(Stored().submission, SubmissionState::kUnknown);
  CallBack(kToken, "p1");
  EXPECT_FALSE(Stored().job.stale);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

}  // namespace
}  // namespace gateway::jobs
