#include "jobs/outcome.h"
#include "jobs/restart.h"
#include "jobs/submitter_rig.h"
#include "pictory/credits.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;

TEST_F(SubmitterTest, SendingIsDurableBeforeThePostAndTheOutcomeBeforeTheAnswer) {
  std::optional<SubmissionState> at_post;
  transport_.SetScript([&](const http::Request& request) {
    EXPECT_EQ(request.lane, http::Lane::kPaid);
    EXPECT_EQ(request.path, "/v2/video/storyboard");
    at_post = Stored("r1")->submission;
    return Reply(200, kAccepted);
  });
  const auto answer = Submit(Preview("r1"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(at_post, SubmissionState::kSending);
  const Snapshot& job = **answer;
  EXPECT_EQ(job.state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job.pictory_job_id(), "p1");
  EXPECT_EQ(job.revision, 1);
  EXPECT_EQ(ToProto(**answer).labels().at("team"), "a");
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kAccepted);
  EXPECT_EQ(poller_->followed(), 1u);
}

// The headers `traceparent` of the requests so far, paid and others.
std::vector<std::string> Traceparents(const std::vector<http::Request>& requests) {
  std::vector<std::string> found;
  for (const http::Request& request : requests) {
    for (const http::Header& header : request.headers) {
      if (header.name == "traceparent") found.push_back(header.value);
    }
  }
  return found;
}

TEST_F(SubmitterTest, TheTraceIsStoredAndPictoryIsToldOfItByFlagOnly) {
  transport_.SetScript([n = 0](const http::Request&) mutable {
    return Reply(200, R"({"success":true,"data":{"jobId":"p)" + std::to_string(++n) + R"("}})");
  });
  SubmitRequest request = Preview("r1");
  request.trace = {.trace_id = std::string(32, 'a'),
                   .span_id = std::string(16, 'b'),
                   .sampled = true,
                   .state = "x=1"};
  const std::string header = "00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-01";
  const auto answer = Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(Stored("r1")->job.trace, header + " x=1");
  EXPECT_EQ((*answer)->trace_id, std::string(32, 'a'));
  EXPECT_TRUE(Traceparents(transport_.requests()).empty());

  options_.send_traceparent = true;
  Make({.requests_per_second = 1000, .burst = 1000});
  request.request_id = "r2";
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Submit(Preview("r3")).ok()) << "in no trace";
  EXPECT_EQ(Traceparents(transport_.requests()), std::vector{header});
}

TEST_F(SubmitterTest, TheSameRequestIdGivesTheSameJobAndOnePost) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto first = Submit(Preview("r1"));
  const auto second = Submit(Preview("r1"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ((*first)->job_id(), (*second)->job_id());
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, AnotherRequestUnderTheSameIdIsRefusedNamingTheFirstJob) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto first = Submit(Preview("r1"));
  const auto other = Submit(Preview("r1", "other"));
  EXPECT_EQ(errors::Reason(other.status()), "REQUEST_ID_REUSED");
  EXPECT_NE(other.status().message().find(std::string((*first)->job_id())),
            absl::string_view::npos);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, AStormOfEqualCallsJoinsOneAttempt) {
  std::vector<Submitter::Answer> answers;
  for (int i = 0; i < 1000; ++i) {
    submitter_->Submit(Preview("r1"),
                       [&](Submitter::Answer a, const auto&) { answers.push_back(std::move(a)); });
  }
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(submitter_->running(), 1u);
  std::optional<Submitter::Answer> other;
  submitter_->Submit(Preview("r1", "other"), Into(other));
  EXPECT_EQ(errors::Reason(other->status()), "REQUEST_ID_REUSED");
  transport_.Answer(Reply(200, kAccepted));
  ASSERT_EQ(answers.size(), 1000u);
  for (const auto& answer : answers) {
    EXPECT_EQ((*answer)->job_id(), (*answers[0])->job_id());
  }
  EXPECT_EQ(Posts(), 1);
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(SubmitterTest, TenantsDoNotShareRequestIds) {
  transport_.SetScript([](const http::Request& request) {
    return Reply(200, R"({"data":{"jobId":"p)" + std::to_string(request.body->size()) + "\"}}");
  });
  SubmitRequest other = Preview("r1", "longer name");
  other.owner.tenant = "other";
  const auto first = Submit(Preview("r1"));
  const auto second = Submit(std::move(other));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE((*first)->job_id(), (*second)->job_id());
}

TEST_F(SubmitterTest, AnUnknownOutcomeIsOkUnconfirmedAndNeverSentAgain) {
  transport_.SetScript([](const http::Request&) { return test::Cut("reset"); });
  const auto answer = Submit(Preview("r1"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kUnknown);
  EXPECT_EQ(poller_->followed(), 0u);
  const auto again = Submit(Preview("r1"));
  EXPECT_EQ((*again)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, EveryAnswerThatLeavesDoubtIsUnconfirmed) {
  int n = 0;
  for (const auto& [status, body] :
       std::vector<std::pair<int, std::string>>{{200, R"({"success":true,"data":{}})"},
                                                {200, ""},
                                                {200, "<html>"},
                                                {408, "{}"},
                                                {409, "{}"},
                                                {425, "{}"},
                                                {500, "{}"},
                                                {502, "<html>"},
                                                {503, "{}"},
                                                {302, ""}}) {
    transport_.SetScript([&](const http::Request&) { return Reply(status, body); });
    const auto answer = Submit(Preview("doubt" + std::to_string(n++)));
    ASSERT_TRUE(answer.ok()) << status << body;
    EXPECT_EQ((*answer)->state, v1::JOB_STATE_UNCONFIRMED) << status << body;
  }
}

// Callers were told that the job is unconfirmed, and somebody gave it up or adopted it, before
// Pictory answered.
TEST_F(SubmitterTest, AnAnswerThatComesAfterADecisionIsKept) {
  for (const bool abandoned : {true, false}) {
    const std::string request_id = abandoned ? "r1" : "r2", id = "p-" + request_id;
    Make({.requests_per_second = 1000, .burst = 1000});
    transport_.SetScript([](const http::Request&) { return std::nullopt; });
    std::optional<Submitter::Answer> answer;
    submitter_->Submit(Preview(request_id), Into(answer));
    submitter_->AnswerUnconfirmed();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ((**answer)->state, v1::JOB_STATE_UNCONFIRMED);
    const JobRecord told = *Stored(request_id);
    ledger_->Update({.record = abandoned ? Abandoned(told, clock_.WallNow())
                                         : Adopted(told, id, clock_.WallNow())},
                    [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
    transport_.Answer(Reply(200, R"({"success":true,"data":{"jobId":")" + id + R"("}})"));
    const JobRecord now = *Stored(request_id);
    EXPECT_EQ(now.job.pictory_job_id, id);
    EXPECT_EQ(now.job.state, abandoned ? v1::JOB_STATE_OUTCOME_UNKNOWN : v1::JOB_STATE_QUEUED);
    EXPECT_EQ(now.job.message.empty(), !abandoned);
    EXPECT_EQ(submitter_->running(), 0u);
    EXPECT_TRUE(foreign_.empty());
  }
}

// Only a failed write ends the store.
TEST_F(SubmitterTest, AnAnswerIsKeptWhileTheRecordCannotBeRead) {
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  submitter_->AnswerUnconfirmed();
  ledger_->Update({.record = Abandoned(*Stored("r1"), clock_.WallNow())},
                  [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  store_.unreadable_for = 2;
  transport_.Answer(Reply(200, kAccepted));
  clock_.Advance(5s);
  EXPECT_EQ(Stored("r1")->job.pictory_job_id, "p1");
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(SubmitterTest, TheIdInWhatCameOfAnAnswerIsKeptAndHandedOnAndNotBelieved) {
  transport_.SetScript(
      [](const http::Request&) { return test::Cut("reset", 200, R"({"data":{"jobId":"p1",)"); });
  const auto answer = Submit(Preview("r1"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((*answer)->pictory_job_id(), "");
  EXPECT_EQ(hinted_, std::vector<std::string>{"p1"});
  const auto recovered = store_.Recover(clock_.WallNow());
  ASSERT_TRUE(recovered.ok());
  EXPECT_EQ(recovered->hints,
            (std::vector<Hint>{{{"default", std::string((*answer)->job_id())}, "p1"}}));
}

TEST_F(SubmitterTest, AnErrorThatRepeatsAnIdOfTheRequestHintsAtNothing) {
  transport_.SetScript([](const http::Request&) { return Reply(502, R"({"jobId":"echoed"})"); });
  ASSERT_TRUE(Submit(Preview("r1", "echoed")).ok());
  EXPECT_TRUE(hinted_.empty());
  const auto recovered = store_.Recover(clock_.WallNow());
  ASSERT_TRUE(recovered.ok());
  EXPECT_TRUE(recovered->hints.empty());
}

TEST_F(SubmitterTest, AnAnswerWithTheIdOfAnotherJobLeavesDoubt) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  const auto answer = Submit(Preview("r2"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((*answer)->pictory_job_id(), "");
  EXPECT_EQ(Stored("r2")->submission, SubmissionState::kUnknown);
  EXPECT_EQ(foreign_, std::vector<std::string>{"p1"});
  ASSERT_EQ(unconfirmed_.size(), 1u);
  EXPECT_EQ((*Submit(Preview("r2")))->job_id(), (*answer)->job_id());
  EXPECT_EQ(Posts(), 2);
}

TEST_F(SubmitterTest, ARefusalMakesNoJobAndARetryGetsItAgain) {
  transport_.SetScript([](const http::Request&) {
    return Reply(400, R"({"code":"INVALID_REQUEST_BODY","message":"m",)"
                      R"("fields":[{"name":"scenes","errors":"e"}]})");
  });
  const auto first = Submit(Preview("r1"));
  EXPECT_EQ(first.status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(errors::Violations(first.status()).size(), 1u);
  const auto again = Submit(Preview("r1"));
  EXPECT_EQ(again.status(), first.status());
  EXPECT_EQ(errors::Violations(again.status())[0].field,
            errors::Violations(first.status())[0].field);
  EXPECT_EQ(Posts(), 1);
  bool absent = false;
  store_.Find("default", Stored("r1")->job.job_id,
              [&](const auto& found) { absent = found.ok() && !found->has_value(); });
  EXPECT_TRUE(absent);
}

TEST_F(SubmitterTest, RefusedCredentialsAreNotKeptAsTheAnswerToTheRequest) {
  transport_.SetScript(
      [](const http::Request&) { return Reply(401, R"({"message":"Unauthorized"})"); });
  const auto first = Submit(Preview("r1"));
  EXPECT_EQ(errors::Reason(first.status()), "UPSTREAM_CREDENTIALS");
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  EXPECT_TRUE(Submit(Preview("r1")).ok());
}

TEST_F(SubmitterTest, NotSentIsUnavailableAndARetryRunsUnderTheSameJobId) {
  transport_.SetScript([](const http::Request&) { return test::NotSent("connection refused"); });
  const auto first = Submit(Preview("r1"));
  EXPECT_EQ(first.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(errors::RetryDelay(first.status()), Duration::zero());
  const std::string job_id = Stored("r1")->job.job_id;
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);

  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto retry = Submit(Preview("r1"));
  ASSERT_TRUE(retry.ok()) << retry.status();
  EXPECT_EQ((*retry)->job_id(), job_id);
  EXPECT_EQ(Stored("r1")->attempt, 2);
}

TEST_F(SubmitterTest, A429IsNotSentAndSilencesTheAccount) {
  transport_.SetScript([](const http::Request&) { return Reply(429, "", {{"retry-after", "7"}}); });
  const auto first = Submit(Preview("r1"));
  EXPECT_EQ(first.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GE(errors::RetryDelay(first.status()), 7s);
  const auto other = Submit(Preview("r2", "other"));
  EXPECT_EQ(errors::Reason(other.status()), "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, WithoutBudgetASubmitWaitsAtMostASecond) {
  Make({.requests_per_second = 4, .burst = 2});
  transport_.SetScript([](const http::Request& request) {
    return Reply(200, R"({"data":{"jobId":"p)" + std::to_string(request.body->size()) + "\"}}");
  });
  ASSERT_TRUE(Submit(Preview("r1", "n")).ok());
  std::optional<Submitter::Answer> waits;
  submitter_->Submit(Preview("r2", "nn"), Into(waits));
  EXPECT_FALSE(waits.has_value());
  EXPECT_EQ(Stored("r2")->submission, SubmissionState::kIntent);
  clock_.Advance(1s);
  ASSERT_TRUE(waits.has_value());
  EXPECT_TRUE(waits->ok());

  Make({.requests_per_second = 0.5, .burst = 2});
  ASSERT_TRUE(Submit(Preview("r3", "nnn")).ok());
  const auto refused = Submit(Preview("r4", "nnnn"));
  EXPECT_EQ(errors::Reason(refused.status()), "UPSTREAM_BUDGET");
  EXPECT_EQ(Stored("r4")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(Posts(), 3);
}

// Pictory takes very long to answer one tenant's submits. Those that find no place are told so in a
// second, and another tenant's go at once.
TEST_F(SubmitterTest, ATenantWithManySlowSubmitsHoldsUpNoOther) {
  constexpr int kMost = limits::kSubmitsInFlightMax / 2;
  std::vector<std::optional<Submitter::Answer>> answers(kMost + 6);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    submitter_->Submit(Preview("n" + std::to_string(i), "n" + std::to_string(i)), Into(answers[i]));
  }
  EXPECT_EQ(Posts(), kMost);
  SubmitRequest quiet = Preview("q", "q");
  quiet.owner.tenant = "quiet";
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(std::move(quiet), Into(answer));
  clock_.Advance(10ms);
  EXPECT_EQ(Posts(), kMost + 1);

  clock_.Advance(limits::kSubmitBudgetMaxWait);
  EXPECT_EQ(Posts(), kMost + 1);
  for (std::size_t i = kMost; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].has_value()) << i;
    EXPECT_EQ(errors::Reason(answers[i]->status()), "TOO_MANY") << answers[i]->status();
    EXPECT_NE(answers[i]->status().message().find("nothing was submitted"),
              absl::string_view::npos);
    EXPECT_EQ(Stored("n" + std::to_string(i))->submission, SubmissionState::kNotSent);
  }
  transport_.Answer(Reply(200, R"({"data":{"jobId":"p1"}})"));
  EXPECT_TRUE(answers[0].has_value() && answers[0]->ok());
  std::optional<Submitter::Answer> again;
  const std::string name = "n" + std::to_string(kMost);
  submitter_->Submit(Preview(name, name), Into(again));
  EXPECT_EQ(Posts(), kMost + 2) << "the same request_id, in the place that has become free";
}

TEST_F(SubmitterTest, ACallerWhoIsGoneOrOutOfTimeSendsNothing) {
  SubmitRequest gone = Preview("r1");
  gone.cancelled = std::make_shared<std::atomic<bool>>(true);
  EXPECT_EQ(Submit(std::move(gone)).status().code(), absl::StatusCode::kCancelled);
  SubmitRequest hurried = Preview("r2");
  hurried.deadline = clock_.Now() + 499ms;
  EXPECT_EQ(errors::Reason(Submit(std::move(hurried)).status()), "DEADLINE_TOO_SHORT");
  EXPECT_EQ(Posts(), 0);
}

TEST_F(SubmitterTest, ACancelAfterSendingChangesNothing) {
  SubmitRequest request = Preview("r1");
  const auto cancelled = request.cancelled = std::make_shared<std::atomic<bool>>(false);
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(std::move(request), Into(answer));
  *cancelled = true;
  transport_.Answer(Reply(200, kAccepted));
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kAccepted);
  EXPECT_EQ(poller_->followed(), 1u);
}

TEST_F(SubmitterTest, ARenderNeedsAFinishedPreview) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto preview = Submit(Preview("r1"));
  ASSERT_TRUE(preview.ok());
  const std::string id((*preview)->job_id());

  const auto early = Submit(Render("r2", id));
  EXPECT_EQ(errors::Reason(early.status()), "JOB_NOT_FINISHED");
  transport_.SetScript([](const http::Request&) { return Reply(404, "{}"); });
  EXPECT_EQ(errors::Reason(Submit(Render("r3", "nobody")).status()), "JOB_NOT_FOUND");
  EXPECT_EQ(Posts(), 1);
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });

  Job done = Stored("r1")->job;
  done.state = v1::JOB_STATE_SUCCEEDED;
  ++done.revision;
  hub_.Publish(done);
  transport_.SetScript([](const http::Request& request) {
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.path, "/v2/video/render/p1");
    return Reply(200, R"({"data":{"jobId":"p2"}})");
  });
  EXPECT_TRUE(Submit(Render("r4", id)).ok());
}

TEST_F(SubmitterTest, ARetryOfASubmitWhosePreviewIsGoneStillGetsItsJob) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto preview = Submit(Preview("r1"));
  Job done = Stored("r1")->job;
  done.state = v1::JOB_STATE_SUCCEEDED;
  ++done.revision;
  hub_.Publish(done);
  transport_.SetScript(
      [](const http::Request&) { return Reply(200, R"({"data":{"jobId":"p2"}})"); });
  const auto render = Submit(Render("r2", done.job_id));
  ASSERT_TRUE(render.ok());
  hub_.Forget("default", done.job_id);
  done.finish_time = WallTime{};
  JobRecord ended{
      .job = done, .version = Stored("r1")->version, .submission = SubmissionState::kAccepted};
  store_.Update(ended, {}, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  store_.Prune({.finished_before = clock_.WallNow(), .untouched_since = {}, .limit = 9},
               [](const auto& pruned) { ASSERT_EQ(pruned->size(), 1); });
  const auto retry = Submit(Render("r2", done.job_id));
  ASSERT_TRUE(retry.ok()) << retry.status();
  EXPECT_EQ((*retry)->job_id(), (*render)->job_id());
  EXPECT_EQ(Posts(), 2);
}

TEST_F(SubmitterTest, AJobUnconfirmedIsHandedOnOnceItIsVisible) {
  transport_.SetScript([](const http::Request&) { return test::Cut(); });
  const auto answer = Submit(Preview("r1"));
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(unconfirmed_.size(), 1u);
  EXPECT_EQ(unconfirmed_[0].job.state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(unconfirmed_[0].sent_at, clock_.WallNow());
  EXPECT_NE(hub_.Find("default", unconfirmed_[0].job.job_id), nullptr);
}

TEST_F(SubmitterTest, TheWebhookCarriesTheTokenOfTheAttempt) {
  webhooks_ = "https://hooks.example/";
  std::vector<std::string> bodies;
  transport_.SetScript([&](const http::Request& request) -> std::optional<http::Response> {
    bodies.push_back(*request.body);
    if (bodies.size() == 1) return test::NotSent();
    return Reply(200, kAccepted);
  });
  EXPECT_FALSE(Submit(Preview("r1")).ok());
  const std::string first = Stored("r1")->correlation_token;
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  const std::string second = Stored("r1")->correlation_token;
  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, second);
  EXPECT_NE(bodies[0].find("\"webhook\":\"https://hooks.example/" + first + "\""),
            std::string::npos);
  EXPECT_NE(bodies[1].find("\"webhook\":\"https://hooks.example/" + second + "\""),
            std::string::npos);
}

TEST_F(SubmitterTest, OnlyWhatMayHaveCostMoneyIsCountedAsSpent) {
  std::optional<http::Response> reply = Reply(200, kAccepted);
  transport_.SetScript([&](const http::Request&) { return reply; });
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  EXPECT_EQ(spending_.spent_today().submits, 1u);
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  EXPECT_EQ(spending_.spent_today().submits, 1u) << "a repeated request costs nothing";
  reply = Reply(400, R"({"code":"INVALID_REQUEST_BODY","message":"m"})");
  EXPECT_FALSE(Submit(Preview("r2")).ok());
  reply = test::NotSent();
  EXPECT_FALSE(Submit(Preview("r3")).ok());
  EXPECT_EQ(spending_.spent_today().submits, 1u);
  reply = test::Cut();
  ASSERT_TRUE(Submit(Preview("r4")).ok());
  EXPECT_EQ(spending_.spent_today().submits, 2u) << "an unconfirmed one counts";
}

TEST_F(SubmitterTest, BeyondTheSpendingLimitNothingIsRecordedOrSentAndRetriesStillGetTheirJob) {
  transport_.SetScript([n = 0](const http::Request&) mutable {
    return Reply(200, R"({"data":{"jobId":"p)" + std::to_string(++n) + R"("}})");
  });
  for (int i = 0; i < 150; ++i) ASSERT_TRUE(Submit(Preview("r" + std::to_string(i))).ok());
  const absl::Status refused = Submit(Preview("one-more")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT");
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  EXPECT_EQ(Posts(), 150);
  EXPECT_FALSE(Stored("one-more").has_value());
  EXPECT_TRUE(Submit(Preview("r7")).ok());
  clock_.Advance(61s);
  EXPECT_TRUE(Submit(Preview("one-more")).ok());
}

TEST_F(SubmitterTest, ARetryOfADeletedJobIsToldSoAndNotPaidAgain) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  JobRecord record = *Stored("r1");
  record.submission = SubmissionState::kDeleted;
  record.job.state = v1::JOB_STATE_CLEANED;
  hub_.Forget("default", record.job.job_id);
  store_.Delete(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  const auto retry = Submit(Preview("r1"));
  ASSERT_TRUE(retry.ok()) << retry.status();
  EXPECT_EQ((*retry)->job_id(), record.job.job_id);
  EXPECT_EQ((*retry)->state, v1::JOB_STATE_CLEANED);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, DrainingRefusesNewSubmitsAndWaitsForRunningOnes) {
  std::optional<Submitter::Answer> running;
  submitter_->Submit(Preview("r1"), Into(running));
  bool idle = false;
  submitter_->Drain([&] { idle = true; });
  EXPECT_FALSE(idle);
  EXPECT_EQ(errors::Reason(Submit(Preview("r2")).status()), "DRAINING");
  std::optional<Submitter::Answer> joined;  // the same request may still join
  submitter_->Submit(Preview("r1"), Into(joined));
  transport_.Answer(Reply(200, kAccepted));
  EXPECT_TRUE(running->ok());
  EXPECT_TRUE(joined->ok());
  EXPECT_TRUE(idle);
}

TEST_F(SubmitterTest, OnceDrainingNothingIsSentThatWasNot) {
  Make({.requests_per_second = 4, .burst = 2});
  std::optional<Submitter::Answer> first, waits;
  submitter_->Submit(Preview("r1"), Into(first));
  submitter_->Submit(Preview("r2"), Into(waits));
  bool idle = false;
  submitter_->Drain([&] { idle = true; });
  clock_.Advance(1s);
  EXPECT_EQ(errors::Reason(waits->status()), "DRAINING");
  transport_.Answer(Reply(200, kAccepted));
  EXPECT_TRUE(first->ok());
  EXPECT_TRUE(idle);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, WhoeverStopsSubmitsStopsThoseThatAreInLine) {
  Make({.requests_per_second = 4, .burst = 2});
  transport_.AnswerAllWith(Reply(200, kAccepted));
  ASSERT_TRUE(Submit(Preview("first")).ok());
  std::optional<Submitter::Answer> in_line;
  submitter_->Submit(Preview("r1"), Into(in_line));
  ASSERT_EQ(Stored("r1")->submission, SubmissionState::kIntent);
  spending_.SetStopped(true);
  clock_.Advance(1s);
  ASSERT_TRUE(in_line.has_value());
  EXPECT_EQ(errors::Reason(in_line->status()), "SUBMITS_STOPPED");
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(spending_.spent_today().submits, 1u);
  EXPECT_EQ(Posts(), 1);
  spending_.SetStopped(false);
  transport_.AnswerAllWith(Reply(200, R"({"data":{"jobId":"p2"}})"));
  EXPECT_TRUE(Submit(Preview("r1")).ok());
}

// What came of a submit is known, and the store cannot take it: its caller waits until it can.
TEST_F(SubmitterTest, WhatCameOfASubmitIsStoredLaterIfTheStoreIsBusy) {
  struct Case {
    const char* id;
    http::Response answer;
    SubmissionState state;
  };
  const Case cases[] = {{"accepted", Reply(200, kAccepted), SubmissionState::kAccepted},
                        {"refused", Reply(402, "{}"), SubmissionState::kRejected},
                        {"not-sent", test::NotSent(), SubmissionState::kNotSent},
                        {"unknown", test::Cut("reset"), SubmissionState::kUnknown}};
  int posts = 0;
  for (const Case& c : cases) {
    transport_.SetScript([&](const http::Request& request) {
      if (request.lane != http::Lane::kPaid) return Reply(503, "");  // a poll
      store_.busy_for = 3;
      return c.answer;
    });
    std::optional<Submitter::Answer> answer, joined;
    submitter_->Submit(Preview(c.id), Into(answer));
    EXPECT_EQ(Stored(c.id)->submission, SubmissionState::kSending) << c.id;
    submitter_->Submit(Preview(c.id), Into(joined));
    clock_.Advance(10s);
    EXPECT_EQ(Stored(c.id)->submission, c.state) << c.id;
    ASSERT_TRUE(answer.has_value() && joined.has_value()) << c.id;
    EXPECT_EQ(answer->ok(), IsVisible(c.state)) << c.id << ": " << answer->status();
    EXPECT_EQ(joined->ok(), IsVisible(c.state)) << c.id << ": " << joined->status();
    EXPECT_EQ(Posts(), ++posts) << c.id;
    EXPECT_EQ(submitter_->running(), 0u);
  }
}

TEST_F(SubmitterTest, ASubmitWhoseTurnDidNotComeCanBeRepeatedAfterTheStoreWasBusy) {
  Make({.requests_per_second = 0.5, .burst = 1});
  transport_.AnswerAllWith(Reply(200, kAccepted));
  ASSERT_TRUE(Submit(Preview("first")).ok());
  store_.busy_for = 2;
  std::optional<Submitter::Answer> refused;
  submitter_->Submit(Preview("r1"), Into(refused));
  clock_.Advance(1min);
  EXPECT_EQ(errors::Reason(refused->status()), "UPSTREAM_BUDGET");
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  transport_.AnswerAllWith(Reply(200, R"({"data":{"jobId":"p2"}})"));
  EXPECT_TRUE(Submit(Preview("r1")).ok());
}

TEST_F(SubmitterTest, ASubmitThatCouldNotBeRecordedAsSentCanBeRepeated) {
  Make({.requests_per_second = 4, .burst = 2});
  transport_.AnswerAllWith(Reply(200, kAccepted));
  ASSERT_TRUE(Submit(Preview("first")).ok());
  std::optional<Submitter::Answer> refused;
  submitter_->Submit(Preview("r1"), Into(refused));
  ASSERT_EQ(Stored("r1")->submission, SubmissionState::kIntent);
  store_.busy_for = 1;
  clock_.Advance(1s);
  ASSERT_TRUE(refused.has_value());
  EXPECT_TRUE(absl::IsResourceExhausted(refused->status())) << refused->status();
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(Posts(), 1);
  transport_.AnswerAllWith(Reply(200, R"({"data":{"jobId":"p2"}})"));
  EXPECT_TRUE(Submit(Preview("r1")).ok());
}

// A store that has failed takes nothing any more, and the program ends: callers are told at once.
TEST_F(SubmitterTest, OfAStoreThatHasFailedNothingIsHopedFor) {
  transport_.SetScript([&](const http::Request&) {
    store_.busy_for = 1'000'000;
    store_.why_busy = errors::StoreFailed("disk full");
    return Reply(200, kAccepted);
  });
  const auto answer = Submit(Preview("r1"));
  EXPECT_THAT(std::string(answer.status().message()), testing::HasSubstr("do not resubmit"));
  EXPECT_EQ(submitter_->running(), 0u);
}

// OAuthSubmitterTest uses client credentials; its stand-in for Pictory takes the newest token only,
// which `valid_` names.
class OAuthSubmitterTest : public SubmitterTest {
 protected:
  OAuthSubmitterTest() {
    client_options_ = {.api_key = Secret(),
                       .user_agent = "t",
                       .oauth = pictory::OAuthOptions{"id", Secret("secret"), ""}};
    Make({.requests_per_second = 1000, .burst = 1000});
    transport_.SetScript([this](const http::Request& r) { return Answer(r); });
  }

  std::optional<http::Response> Answer(const http::Request& request) {
    const std::optional<JobRecord> record = Stored("r1");
    const bool token = request.path == "/v1/oauth2/token";
    seen_.push_back((token ? "token, " : "post, ") +
                    (record.has_value() ? Word(record->submission) + std::to_string(record->attempt)
                                        : std::string("no record")));
    if (token) return token_answer_ ? token_answer_() : NewToken();
    if (test::HeaderOf(request, "Authorization") != valid_) {
      return Reply(401, R"({"message":"Unauthorized"})");
    }
    return Reply(200, R"({"data":{"jobId":"p)" + std::to_string(seen_.size()) + "\"}}");
  }

  std::optional<http::Response> NewToken() {
    valid_ = "t" + std::to_string(++tokens_);
    return Reply(200, R"({"access_token":")" + valid_ + R"(","expires_in":3600})");
  }

  static std::string Word(SubmissionState state) {
    switch (state) {
      case SubmissionState::kIntent:
        return "intent ";
      case SubmissionState::kSending:
        return "sending ";
      case SubmissionState::kNotSent:
        return "not sent ";
      default:
        return "other ";
    }
  }

  std::string valid_;
  int tokens_ = 0;
  std::function<std::optional<http::Response>()> token_answer_;
  std::vector<std::string> seen_;  // each request, and the record as it stood then
};

using Seen = std::vector<std::string>;

TEST_F(OAuthSubmitterTest, TheFirstTokenIsThereBeforeSendingIsRecorded) {
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  EXPECT_EQ(seen_, (Seen{"token, no record", "post, sending 1"}));
  ASSERT_TRUE(Submit(Preview("r2", "other")).ok());
  EXPECT_EQ(tokens_, 1);
}

TEST_F(OAuthSubmitterTest, AProcessThatDiesWhileItWaitsForATokenLeavesNothingUnconfirmed) {
  token_answer_ = [] { return std::nullopt; };
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(Stored("r1"), std::nullopt);
  transport_.Answer(*NewToken());
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok()) << answer->status();
}

TEST_F(OAuthSubmitterTest, WithoutATokenNothingIsSentAndARetryRuns) {
  token_answer_ = [] { return test::NotSent(); };
  const auto first = Submit(Preview("r1"));
  EXPECT_EQ(first.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(errors::RetryDelay(first.status()), Duration::zero());
  EXPECT_EQ(Posts(), 0);
  clock_.Advance(errors::RetryDelay(first.status()));
  token_answer_ = nullptr;
  EXPECT_TRUE(Submit(Preview("r1")).ok());
}

TEST_F(OAuthSubmitterTest, ARetryOfASentSubmitGetsItsJobWithoutAToken) {
  const auto first = Submit(Preview("r1"));
  token_answer_ = [] { return Reply(401, "{}"); };
  clock_.Advance(2h);
  const auto again = Submit(Preview("r1"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->job_id(), (*first)->job_id());
  EXPECT_EQ(errors::Reason(Submit(Preview("r2", "other")).status()), "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(Posts(), 1);
}

TEST_F(OAuthSubmitterTest, AnEndedTokenIsRenewedAndTheSubmitSentAgainUnderItsOwnRecord) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  valid_ = "another, by now";
  seen_.clear();
  const auto answer = Submit(Preview("r1"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)->state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(seen_, (Seen{"post, sending 1", "token, intent 2", "post, sending 2"}));
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kAccepted);
  EXPECT_EQ(Stored("r1")->attempt, 2);
}

TEST_F(OAuthSubmitterTest, ASecond401IsNotSentAndNotSentAgain) {
  token_answer_ = [] { return Reply(200, R"({"access_token":"t","expires_in":3600})"); };
  valid_ = "none of them";
  const auto answer = Submit(Preview("r1"));
  EXPECT_EQ(errors::Reason(answer.status()), "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(seen_,
            (Seen{"token, no record", "post, sending 1", "token, intent 2", "post, sending 2"}));
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  // The account is what is wrong: the next ones neither fetch nor repeat.
  Submit(Preview("r2", "other")).IgnoreError();
  EXPECT_EQ(seen_.size(), 5u);
}

TEST_F(OAuthSubmitterTest, ATokenThatCannotBeRenewedLeavesTheSubmitNotSent) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  valid_ = "another, by now";
  token_answer_ = [] { return Reply(503, ""); };
  const auto answer = Submit(Preview("r1"));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(errors::RetryDelay(answer.status()), Duration::zero());
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  token_answer_ = nullptr;
  clock_.Advance(1min);
  ASSERT_TRUE(Submit(Preview("r1")).ok());
  EXPECT_EQ(Stored("r1")->attempt, 3);
}

TEST_F(OAuthSubmitterTest, TheSecondPostComesOnceTheStoreIsNotBusyAnyMore) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  valid_ = "another, by now";
  transport_.SetScript([&](const http::Request& request) {
    const std::optional<http::Response> answer = Answer(request);
    if (answer.has_value() && answer->status == 401) store_.busy_for = 2;
    return answer;
  });
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  EXPECT_EQ(Posts(), 2);
  clock_.Advance(10s);
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok()) << answer->status();
  EXPECT_EQ(Stored("r1")->attempt, 2);
  EXPECT_EQ(Posts(), 3);
}

TEST_F(OAuthSubmitterTest, AStopBetweenTheTwoPostsLeavesNothingUnconfirmed) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  valid_ = "another, by now";
  token_answer_ = [] { return std::nullopt; };
  SubmitRequest request = Preview("r1");
  const auto cancelled = request.cancelled = std::make_shared<std::atomic<bool>>(false);
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(std::move(request), Into(answer));
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kIntent);  // a restart makes it not sent
  *cancelled = true;
  transport_.Answer(*NewToken());
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(Posts(), 2);
}

// Another process with this store has told a caller that the job is UNCONFIRMED, before Pictory
// refused the access token.
TEST_F(OAuthSubmitterTest, A401ForWhatAnotherHasCalledUnconfirmedIsItsEnd) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  store_.Update(*Interrupted(*Stored("r1"), clock_.WallNow()), {},
                [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()) << stored; });
  transport_.Answer(Reply(401, R"({"message":"Unauthorized"})"));
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->ok()) << answer->status();
  EXPECT_EQ((**answer)->state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(Stored("r1")->job.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(Posts(), 2);
  EXPECT_EQ(submitter_->running(), 0u);
}

TEST_F(OAuthSubmitterTest, TheSecondPostNeedsBudgetAndMayBeUnknownLikeAnyOther) {
  Make({.requests_per_second = 4, .burst = 2});
  valid_ = "none yet";
  token_answer_ = [this] {  // the first token is no good, the second is
    ++tokens_;
    if (tokens_ == 2) valid_ = "t";
    return Reply(200, R"({"access_token":"t","expires_in":3600})");
  };
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  EXPECT_EQ(Posts(), 1);
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kIntent);
  transport_.SetScript([](const http::Request&) { return test::Cut("reset"); });
  clock_.Advance(1s);
  ASSERT_TRUE(answer.has_value() && answer->ok());
  EXPECT_EQ((**answer)->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(Posts(), 2);
}

TEST_F(OAuthSubmitterTest, SixtySubmitsWithAnEndedTokenFetchOneNewOne) {
  ASSERT_TRUE(Submit(Preview("r0", "before")).ok());
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  int accepted = 0;
  for (int i = 0; i < 60; ++i) {
    submitter_->Submit(
        Preview("s" + std::to_string(i), "n" + std::to_string(i)),
        [&](const Submitter::Answer& answer, const auto&) { accepted += answer.ok(); });
  }
  ASSERT_EQ(transport_.held(), 60u);
  while (transport_.held() > 0) {
    const http::Request& oldest = transport_.oldest_held();
    const bool old = test::HeaderOf(oldest, "Authorization") == "t1";
    if (oldest.path == "/v1/oauth2/token") {
      transport_.Answer(*NewToken());
    } else {
      transport_.Answer(
          old ? Reply(401, "{}")
              : Reply(200, R"({"data":{"jobId":"q)" + std::to_string(accepted) + "\"}}"));
    }
  }
  EXPECT_EQ(accepted, 60);
  EXPECT_EQ(tokens_, 2);
  EXPECT_EQ(Posts(), 121);
}

// V1SummaryTest makes summaries by Pictory's v1 path, which takes the transcript in the body.
class V1SummaryTest : public SubmitterTest {
 protected:
  V1SummaryTest() {
    translate_.versions[v1::JOB_KIND_SUMMARY] = v1::PATH_VERSION_V1;
    Make({.requests_per_second = 1000, .burst = 1000});
    transport_.AnswerAllWith(Reply(200, R"({"data":{"job_id":"p2"}})"));
  }

  // Stores a finished transcription with that text as a part of its result; without the part if the
  // text is empty.
  void Finished(const std::string& transcript) {
    JobRecord record =
        test::RecordOf(SubmissionState::kAccepted, "transcription", clock_.WallNow());
    record.job.request_id = "";  // Adopt takes none
    record.job.pictory_job_id = "p1";
    record.job.kind = v1::JOB_KIND_TRANSCRIPTION;
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    record.job.revision = 3;
    record.job.finish_time = clock_.WallNow();
    store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
    if (transcript.empty()) return;
    record.version = 1;
    store_.Update(record, {{v1::RESULT_PART_TRANSCRIPT_JSON, transcript}},
                  [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
  }

  SubmitRequest Summary() {
    auto message = std::make_shared<v1::SummarizeRequest>();
    message->set_transcription_job_id("transcription");
    message->set_highlight_duration_seconds(60);
    SubmitRequest request;
    request.owner.tenant = "default";
    request.kind = v1::JOB_KIND_SUMMARY;
    request.request_id = "r1";
    request.fingerprint = "summary";
    request.request = std::move(message);
    return request;
  }
};

TEST_F(V1SummaryTest, TheStoredTranscriptGoesIntoTheBodyByteForByte) {
  const std::string transcript = R"([ {"words": [{"word":"Hi","start_time":1.50,"x":1e2}]} ])";
  Finished(transcript);
  const auto answer = Submit(Summary());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)->pictory_job_id(), "p2");
  ASSERT_EQ(Posts(), 1);
  EXPECT_EQ(transport_.requests()[0].path, "/v1/transcription/highlights");
  EXPECT_EQ(*transport_.requests()[0].body,
            R"({"transcript":)" + transcript + R"(,"highlight_duration":60})");
}

TEST_F(V1SummaryTest, ATranscriptThatIsMissingOrTooLargeSaysSoBeforeAnythingIsSent) {
  const PruneQuery everything{
      .finished_before = WallTime::max(), .untouched_since = {}, .limit = 9};
  Finished("");
  const auto missing = Submit(Summary());
  EXPECT_EQ(errors::Reason(missing.status()), "JOB_NOT_USABLE");
  EXPECT_NE(missing.status().message().find("TRANSCRIPT_JSON"), absl::string_view::npos);
  store_.Prune(everything, [](const auto& pruned) { ASSERT_EQ(pruned->size(), 1); });
  for (const std::size_t bytes : {limits::kRequestMaxBytes + 1, limits::kRequestMaxBytes - 4}) {
    Finished("[\"" + std::string(bytes - 4, 'x') + "\"]");
    const auto large = Submit(Summary());
    EXPECT_FALSE(large.ok());
    EXPECT_NE(large.status().message().find("bytes"), absl::string_view::npos) << large.status();
    store_.Prune(everything, [](const auto& pruned) { ASSERT_EQ(pruned->size(), 1); });
  }
  EXPECT_EQ(Posts(), 0);
  EXPECT_EQ(Stored("r1"), std::nullopt);
}

TEST_F(V1SummaryTest, ALargeTranscriptIsCountedUntilPictoryHasAnswered) {
  const std::size_t size = limits::kSmallRequestMaxBytes + 1;
  Finished("[\"" + std::string(size - 4, 'x') + "\"]");
  std::size_t counted = 0;
  std::weak_ptr<void> held;
  SubmitRequest request = Summary();
  request.hold = [&](std::size_t bytes) -> absl::StatusOr<std::shared_ptr<void>> {
    counted += bytes;
    const auto now = std::make_shared<int>(0);
    held = now;
    return now;
  };
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(request, Into(answer));
  EXPECT_EQ(Posts(), 1);
  EXPECT_EQ(counted, size);
  EXPECT_FALSE(held.expired());
  ASSERT_TRUE(transport_.Answer(Reply(200, R"({"data":{"job_id":"p2"}})")));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok()) << answer->status();
  EXPECT_TRUE(held.expired());
}

TEST_F(V1SummaryTest, ATranscriptThereIsNoMemoryForIsRefusedBeforeAnythingIsPaid) {
  Finished("[\"" + std::string(limits::kSmallRequestMaxBytes, 'x') + "\"]");
  SubmitRequest request = Summary();
  request.hold = [](std::size_t) { return errors::TooMany("MiB", 1, 2s); };
  const auto refused = Submit(request);
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status()));
  EXPECT_GT(errors::RetryDelay(refused.status()), 0s);
  EXPECT_EQ(Posts(), 0);
  EXPECT_EQ(Stored("r1"), std::nullopt);
  EXPECT_TRUE(Submit(Summary()).ok());
  EXPECT_EQ(Posts(), 1);
  EXPECT_TRUE(Submit(request).ok());  // the retry of one that went through
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, WhileTheAccountRestsNothingIsSentOrStored) {
  transport_.AnswerAllWith(Reply(200, kAccepted));
  ASSERT_TRUE(Submit(Preview("before")).ok());
  account_->SetResting(absl::UnavailableError("silent"));
  const auto refused = Submit(Preview("r1"));
  EXPECT_TRUE(absl::IsUnavailable(refused.status()));
  EXPECT_GT(errors::RetryDelay(refused.status()), 0s);
  EXPECT_EQ(Posts(), 1);
  EXPECT_FALSE(Stored("r1").has_value());
  EXPECT_TRUE(Submit(Preview("before")).ok());  // the retry of one that went through

  account_->SetResting(absl::OkStatus());
  EXPECT_TRUE(Submit(Preview("r1")).ok());
  EXPECT_EQ(Posts(), 2);
}

TEST_F(SubmitterTest, ASubmitThatWaitsForBudgetIsGivenUpWhenTheAccountRests) {
  transport_.AnswerAllWith(Reply(200, kAccepted));
  Make({.requests_per_second = 4, .burst = 1});
  ASSERT_TRUE(Submit(Preview("first")).ok());
  std::optional<Submitter::Answer> answer;
  submitter_->Submit(Preview("r1"), Into(answer));
  EXPECT_FALSE(answer.has_value());
  account_->SetResting(absl::UnavailableError("silent"));
  clock_.Advance(1s);
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(absl::IsUnavailable(answer->status()));
  EXPECT_EQ(Stored("r1")->submission, SubmissionState::kNotSent);
  EXPECT_EQ(Posts(), 1);
}

TEST_F(SubmitterTest, SubmitsWithoutAnAnswerAreReported) {
  int silent = 0;
  account_->SetSuspected([&] { ++silent; });
  transport_.AnswerAllWith(test::NotSent());
  for (int i = 0; i < limits::kOutageSuspectedAfter; ++i) {
    EXPECT_EQ(silent, 0);
    EXPECT_FALSE(Submit(Preview("r" + std::to_string(i))).ok());
  }
  EXPECT_EQ(silent, 1);
}

TEST_F(SubmitterTest, TheBodyOfALargeSubmitIsMadeAsideAndNotForCallersWhoAreGone) {
  std::vector<std::function<void()>> aside;
  options_.aside = [&](std::function<void()> work) { aside.push_back(std::move(work)); };
  Make({.requests_per_second = 1000, .burst = 1000});
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  ASSERT_TRUE(Submit(Preview("small")).ok());
  EXPECT_TRUE(aside.empty());

  const std::string name(limits::kSmallRequestMaxBytes, 'n');
  std::optional<Submitter::Answer> stays, goes;
  submitter_->Submit(Preview("stays", name), Into(stays));
  SubmitRequest request = Preview("goes", name);
  request.cancelled = std::make_shared<std::atomic<bool>>(false);
  const auto cancelled = request.cancelled;
  submitter_->Submit(std::move(request), Into(goes));
  ASSERT_EQ(aside.size(), 2u);
  EXPECT_EQ(Posts(), 1);
  cancelled->store(true);
  for (const auto& work : aside) work();
  ASSERT_TRUE(stays.has_value() && goes.has_value());
  EXPECT_TRUE(stays->ok()) << stays->status();
  EXPECT_EQ(goes->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Posts(), 2);
}

// Pictory makes the visuals of a preview again when it is rendered, or may.
TEST_F(SubmitterTest, ARenderReservesWhatItsPreviewDid) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  SubmitRequest dear = Preview("r1");
  auto message = std::make_shared<v1::CreatePreviewRequest>();
  message->set_storyboard_json(
      R"({"videoName":"n","scenes":[{"story":"a","background":{"aiVisual":{"prompt":"a sea"}}}]})");
  dear.request = message;
  ASSERT_TRUE(Submit(dear).ok());
  const double reserved = Stored("r1")->credits_reserved;
  ASSERT_GT(reserved, 0);
  Job done = Stored("r1")->job;
  done.state = v1::JOB_STATE_SUCCEEDED;
  ++done.revision;
  hub_.Publish(done);
  transport_.SetScript(
      [](const http::Request&) { return Reply(200, R"({"data":{"jobId":"p2"}})"); });
  ASSERT_TRUE(Submit(Render("r2", done.job_id)).ok());
  EXPECT_EQ(Stored("r2")->credits_reserved, reserved);
  EXPECT_EQ(spending_.spent_today("default").credits, 2 * reserved);
}

TEST_F(SubmitterTest, ARenderOfAProjectReservesWhatIsAssumed) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  auto message = std::make_shared<v1::RenderRequest>();
  message->set_project_id("project");
  SubmitRequest request = Render("r1", "");
  request.request = message;
  ASSERT_TRUE(Submit(request).ok());
  EXPECT_EQ(Stored("r1")->credits_reserved, pictory::kUnknownCredits);
}

TEST_F(SubmitterTest, APreviewFromATemplateReservesAtLeastWhatIsAssumed) {
  transport_.SetScript([](const http::Request&) { return Reply(200, kAccepted); });
  const auto reserved = [this](const std::string& request_id, const std::string& body) {
    auto message = std::make_shared<v1::CreatePreviewRequest>();
    message->set_from_template_json(body);
    SubmitRequest request = Preview(request_id);
    request.request = message;
    EXPECT_TRUE(Submit(request).ok());
    return Stored(request_id)->credits_reserved;
  };
  EXPECT_EQ(reserved("r1", R"({"templateId":"t"})"), pictory::kUnknownCredits);
  EXPECT_EQ(reserved("r2", R"({"templateId":"t","aiCredits":48})"), 48);
}

}  // namespace
}  // namespace gateway::jobs
