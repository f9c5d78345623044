// These tests show that what webhook calls said outlives the process, once the calls are answered.
#include <vector>

#include "resolver_rig.h"

namespace gateway::jobs {
namespace {

class HintsTest : public ResolverTest {
 protected:
  // The process is killed, and started again as the gateway starts.
  void Restart() {
    resolver_.reset();
    Make({.requests_per_second = 1000, .burst = 1000});
    if (script_) transport_.SetScript(script_);
    auto recovered = store_.Recover(clock_.WallNow());
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    resolver_->Recall(std::move(recovered->hints));
    ASSERT_TRUE(store_
                    .ReadUnfinished([this](const JobRecord& record) {
                      hub_.Publish(record);
                      resolver_->OnChange(record);
                    })
                    .ok());
  }
  test::FakeTransport::Script script_;  // of Pictory after a restart; null: it knows every job
};

TEST_F(HintsTest, AWebhookCallBeforeTheAnswerResolvesTheJobOfAProcessThatDiedInBetween) {
  Put(SubmissionState::kSending);
  EXPECT_TRUE(Told(kToken, {"p1"}).ok());
  EXPECT_EQ(Asked("p1"), 0) << "the answer is still to come";
  Restart();
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
  EXPECT_EQ(resolved_, std::vector<std::string>{"hint"});
}

TEST_F(HintsTest, ACallbackThatPictoryHadNotConfirmedIsLookedIntoAgain) {
  Unconfirmed();
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  EXPECT_TRUE(Told(kToken, {"wrong", "p1"}).ok());
  script_ = [](const http::Request& request) {
    return request.path == "/v1/jobs/p1" ? Reply(200, kRunning) : Reply(404, "{}");
  };
  Restart();
  clock_.Advance(2min);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(HintsTest, WhatCouldNotBeKeptIsToldAndUsedAllTheSame) {
  Put(SubmissionState::kSending);
  store_.keeps_no_hints = true;
  EXPECT_FALSE(Told(kToken, {"p1"}).ok());
  JobRecord record = Stored();
  record.submission = SubmissionState::kUnknown;
  record.job.state = v1::JOB_STATE_UNCONFIRMED;
  Store(record);
  resolver_->OnChange(record);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

// A wrong id hides no right one, whatever Pictory says of it and however long.
TEST_F(HintsTest, AWrongIdHidesNoRightOne) {
  int number = 0;
  for (const http::Response& of_the_wrong :
       {Reply(404, "{}"), Reply(400, "{}"), Reply(400, R"({"code":"INVALID_JOB_ID"})"),
        Reply(200, "<html>"), Reply(500, "{}"), Reply(403, "<html>")}) {
    const std::string id = "j" + std::to_string(++number), token = "t" + std::to_string(number);
    const std::string right = "right" + std::to_string(number);
    Unconfirmed(id, token);
    transport_.SetScript([&](const http::Request& request) {
      return request.path == "/v1/jobs/" + right ? Reply(200, kRunning) : of_the_wrong;
    });
    CallBack(token, "wrong");
    clock_.Advance(10s);
    EXPECT_GT(Asked("wrong"), 0);
    CallBack(token, right);
    clock_.Advance(limits::kHintInterval);
    EXPECT_EQ(Stored(id).job.pictory_job_id, right) << of_the_wrong.status << of_the_wrong.body;
  }
}

TEST_F(HintsTest, AFurtherIdTakesThePlaceOfOneThatPictoryDoesNotKnow) {
  Unconfirmed();
  transport_.SetScript([](const http::Request& request) {
    return request.path == "/v1/jobs/right" ? Reply(200, kRunning) : Reply(400, "{}");
  });
  for (const char* wrong : {"w1", "w2", "w3", "w4"}) CallBack(kToken, wrong);
  clock_.Advance(30s);
  for (const char* wrong : {"w1", "w2", "w3", "w4"}) EXPECT_GT(Asked(wrong), 0) << wrong;
  CallBack(kToken, "right");
  clock_.Advance(limits::kHintInterval);
  EXPECT_EQ(Stored().job.pictory_job_id, "right");
}

TEST_F(HintsTest, AnIdThatIsNotUnderstoodIsAskedForLessAndLess) {
  Unconfirmed();
  transport_.SetScript([](const http::Request&) { return Reply(400, "{}"); });
  CallBack(kToken, "wrong");
  clock_.Advance(1h);
  EXPECT_GT(Asked("wrong"), 8);
  EXPECT_LT(Asked("wrong"), 30);
}

TEST_F(HintsTest, TheIdInWhatCameOfTheAnswerIsAskedForAndThenBelieved) {
  JobRecord record = Put(SubmissionState::kUnknown);
  transport_.SetScript([](const http::Request&) { return Reply(404, "{}"); });
  resolver_->OnHint({"default", "j1"}, "p1");
  resolver_->OnChange(record);
  EXPECT_EQ(Asked("p1"), 1);
  EXPECT_EQ(Stored().job.pictory_job_id, "");
  transport_.SetScript([](const http::Request&) { return Reply(200, kRunning); });
  clock_.Advance(10s);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(HintsTest, AStoreThatCannotBeAskedIsTold) {
  store_.Close();
  EXPECT_FALSE(Told(kToken, {"p1"}).ok());
}

TEST_F(HintsTest, OnlyJobsThatMayNeedThemCostAWrite) {
  JobRecord accepted = Put(SubmissionState::kAccepted, "j2", "t2");
  accepted.job.pictory_job_id = "p2";
  Store(accepted);
  EXPECT_TRUE(Told("t2", {"p2"}).ok());
  EXPECT_TRUE(Told("t2", {"p3"}).ok());
  EXPECT_TRUE(Told("a token of nobody", {"p1"}).ok());
  Unconfirmed();
  EXPECT_TRUE(Told(kToken, {""}).ok());
  EXPECT_TRUE(Told(kToken, {}).ok());
  EXPECT_TRUE(Told(kToken, {"no id"}).ok());
  EXPECT_EQ(store_.hint_writes, 0);
  EXPECT_TRUE(Told(kToken, {"p1"}).ok());
  EXPECT_EQ(store_.hint_writes, 1);
}

}  // namespace
}  // namespace gateway::jobs
