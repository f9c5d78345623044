// What callbacks said must outlive the process, once they are answered.
#include <vector>

#include "reconciler_rig.h"

namespace gateway::jobs {
namespace {

class HintsTest : public ReconcilerTest {
 protected:
  // Killed, and started again as the gateway starts.
  void Restart() {
    reconciler_.reset();
    Make({.requests_per_second = 1000, .burst = 1000});
    if (script_) transport_.SetScript(script_);
    auto recovered = store_.Recover(clock_.WallNow());
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    reconciler_->Recall(std::move(recovered->hints));
    ASSERT_TRUE(store_
                    .ReadUnfinished([this](const JobRecord& record) {
                      hub_.Publish(record);
                      reconciler_->Add(record);
                    })
                    .ok());
  }
  test::FakeTransport::Script script_;  // of Pictory after a restart; null: it knows every job
};

TEST_F(HintsTest, ACallbackBeforeTheAnswerSettlesTheJobOfAProcessThatDiedInBetween) {
  Put(SubmissionState::kSending);
  EXPECT_TRUE(Told(kToken, {"p1"}).ok());
  EXPECT_EQ(Asked("p1"), 0) << "the answer is still to come";
  Restart();
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
  EXPECT_EQ(settled_, std::vector<std::string>{"callback"});
}

TEST_F(HintsTest, ACallbackThatPictoryHadNotConfirmedIsLookedIntoAgain) {
  InDoubt();
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
  store_.Update(record, {}, [](const absl::Status&) {});
  reconciler_->Add(record);
  EXPECT_EQ(Stored().job.pictory_job_id, "p1");
}

TEST_F(HintsTest, AStoreThatCannotBeAskedIsTold) {
  store_.Close();
  EXPECT_FALSE(Told(kToken, {"p1"}).ok());
}

TEST_F(HintsTest, OnlyJobsThatMayNeedThemCostAWrite) {
  JobRecord accepted = Put(SubmissionState::kAccepted, "j2", "t2");
  accepted.job.pictory_job_id = "p2";
  store_.Update(accepted, {}, [](const absl::Status&) {});
  EXPECT_TRUE(Told("t2", {"p2"}).ok());
  EXPECT_TRUE(Told("t2", {"p3"}).ok());
  EXPECT_TRUE(Told("a token of nobody", {"p1"}).ok());
  InDoubt();
  EXPECT_TRUE(Told(kToken, {""}).ok());
  EXPECT_TRUE(Told(kToken, {}).ok());
  EXPECT_TRUE(Told(kToken, {"no id"}).ok());
  EXPECT_EQ(store_.hint_writes, 0);
  EXPECT_TRUE(Told(kToken, {"p1"}).ok());
  EXPECT_EQ(store_.hint_writes, 1);
}

}  // namespace
}  // namespace gateway::jobs
