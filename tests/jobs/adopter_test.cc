#include "jobs/adopter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/ids.h"
#include "base/work_thread.h"
#include "jobs/advance.h"
#include "jobs/outcome.h"
#include "jobs/poller.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/records.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using test::Reply;

constexpr char kAtWork[] =
    R"({"success":true,"data":{"status":"in-progress","renderProgress":40}})";
constexpr char kRendered[] =
    R"({"success":true,"data":{"status":"completed","videoURL":"https://v/x.mp4"}})";
constexpr char kUnknown[] = R"({"success":false,"data":{"error_code":"404","message":"no"}})";

class AdopterTest : public ::testing::Test {
 protected:
  AdopterTest() { Answer(200, kAtWork); }

  void Answer(int status, std::string body) {
    transport_.SetScript([status, body](const http::Request&) { return Reply(status, body); });
  }
  absl::StatusOr<SnapshotPtr> Load(const std::string& name, const std::string& tenant = "default") {
    std::optional<absl::StatusOr<SnapshotPtr>> answer;
    adopter_.Load({.tenant = tenant}, name,
                  [&](absl::StatusOr<SnapshotPtr> got) { answer = std::move(got); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }
  std::optional<JobRecord> Stored(const std::string& name) {
    std::optional<JobRecord> record;
    store_.Find("default", name, [&](const auto& found) { record = *found; });
    return record;
  }
  // Stores a submission that Pictory has not answered, or whose answer nobody knows.
  JobRecord Submitted(SubmissionState submission, JobState state) {
    JobRecord record = test::RecordOf(submission, MintJobId(clock_.WallNow(), random_));
    record.job.request_id = "r1";
    record.job.pictory_job_id.clear();
    record.job.state = state;
    record.job.revision = 1;
    record.job.labels = {{"team", "a"}};
    record.job.name = "the film";
    store_.Adopt(record, [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()) << stored; });
    record.version = 1;
    return record;
  }
  Ledger::Outcome Update(const JobRecord& record) {
    std::optional<Ledger::Outcome> outcome;
    ledger_.Update({.record = record}, [&](Ledger::Outcome stored) { outcome = stored; });
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(Ledger::Outcome{});
  }
  std::size_t asked() const { return transport_.requests().size(); }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  Random random_{1};
  Ledger ledger_{store_, store_, hub_};
  std::unique_ptr<Upstreams> upstreams_ =
      MakeUpstreams({.requests_per_second = 100, .burst = 100}, transport_, clock_);
  Shards shards_{/*alone=*/true, clock_};
  Adopter adopter_{/*sandbox=*/false,
                   shards_,
                   *upstreams_,
                   ledger_,
                   store_,
                   hub_,
                   clock_,
                   random_};
};

TEST_F(AdopterTest, AJobOfPictorysThatNobodySubmittedHereBecomesOneOfOurs) {
  const auto job = Load("p-1");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(IsMintedJobId((*job)->job_id()));
  EXPECT_EQ((*job)->pictory_job_id(), "p-1");
  EXPECT_EQ((*job)->state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ((*job)->kind, v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(ToProto(**job).progress_percent(), 40);
  const auto record = Stored("p-1");
  ASSERT_TRUE(record.has_value());
  EXPECT_TRUE(IsPollable(*record)) << "it is followed like any other";
  EXPECT_TRUE(WasAdopted(*record));
  EXPECT_EQ((*Load("p-1"))->job_id(), (*job)->job_id());
  EXPECT_EQ((*Load(std::string((*job)->job_id())))->job_id(), (*job)->job_id());
  EXPECT_EQ(asked(), 1u);
}

TEST_F(AdopterTest, AnEndedOneIsStoredWithItsResultWhichShowsItsKind) {
  Answer(200, kRendered);
  const auto job = Load("p-1");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ((*job)->state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ((*job)->kind, v1::JOB_KIND_RENDER);
  std::string json;
  store_.ReadPart("default", std::string((*job)->job_id()), v1::RESULT_PART_RESULT_JSON, 0, 1000,
                  [&](const absl::StatusOr<PartChunk>& part) { json = part->data; });
  EXPECT_THAT(json, testing::HasSubstr("x.mp4"));
}

TEST_F(AdopterTest, WhatPictoryDoesNotKnowIsAskedOnceAMinute) {
  Answer(404, kUnknown);
  EXPECT_EQ(errors::Reason(Load("p-1").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(errors::Reason(Load("p-1").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(asked(), 1u);
  clock_.Advance(limits::kUnknownIdKept);
  Answer(200, kAtWork);
  EXPECT_TRUE(Load("p-1").ok());
  EXPECT_EQ(asked(), 2u);
}

TEST_F(AdopterTest, WhatCanBeNoIdOfPictorysIsNeverAsked) {
  const std::string ours = MintJobId(clock_.WallNow(), random_);
  for (const std::string& name : {ours, std::string("two words"), std::string("..")}) {
    EXPECT_EQ(errors::Reason(Load(name).status()), "JOB_NOT_FOUND") << name;
  }
  EXPECT_EQ(asked(), 0u);
}

TEST_F(AdopterTest, AnotherTenantsJobIsAnUnknownJob) {
  ASSERT_TRUE(Load("p-1", "umbra").ok());
  EXPECT_EQ(errors::Reason(Load("p-1").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(asked(), 1u);
}

TEST_F(AdopterTest, AQuestionWithoutAnAnswerSaysSoAndAdoptsNothing) {
  Answer(503, "busy");
  EXPECT_EQ(Load("p-1").status().code(), absl::StatusCode::kUnavailable);
  Answer(429, "{}");
  EXPECT_EQ(errors::Reason(Load("p-2").status()), "UPSTREAM_RATE_LIMITED");
  EXPECT_FALSE(Stored("p-1").has_value());
}

TEST_F(AdopterTest, ThoseWhoAskAtTheSameTimeCostOneQuestion) {
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) {
    adopter_.Load({}, "p-1", [&](const absl::StatusOr<SnapshotPtr>& got) {
      answers.push_back(got.ok() ? std::string((*got)->job_id()) : got.status().ToString());
    });
  }
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(transport_.held(), 1u);
  transport_.Answer(Reply(200, kAtWork));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0], answers[2]);
}

TEST_F(AdopterTest, WhatAnotherAccountAnswersIsNoAnswerToWhoAsksThisOne) {
  std::optional<absl::StatusOr<SnapshotPtr>> own, other;
  transport_.SetScript([](const http::Request&) { return std::nullopt; });
  adopter_.Load({.tenant = "default"}, "p-1",
                [&](absl::StatusOr<SnapshotPtr> got) { own = std::move(got); });
  ASSERT_FALSE(own.has_value());
  adopter_.Load({.tenant = "default", .account = "elsewhere"}, "p-1",
                [&](absl::StatusOr<SnapshotPtr> got) { other = std::move(got); });
  ASSERT_TRUE(other.has_value()) << "its door is closed";
  EXPECT_FALSE(other->ok());
  EXPECT_FALSE(own.has_value());
  transport_.Answer(Reply(200, kAtWork));
  EXPECT_TRUE(own.has_value() && own->ok());
}

TEST_F(AdopterTest, AFloodOfNamesLeavesMostOfTheBudgetToOthers) {
  Answer(404, kUnknown);
  for (int i = 0; i < 100; ++i) {
    const absl::Status status = Load("p-" + std::to_string(i)).status();
    const bool asked = i < static_cast<int>(limits::kLooksBurst);
    EXPECT_EQ(errors::Reason(status), asked ? "JOB_NOT_FOUND" : "UPSTREAM_BUDGET") << i;
  }
  EXPECT_EQ(asked(), 5u);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(errors::Reason(Load("p-x").status()), "JOB_NOT_FOUND");
}

TEST_F(AdopterTest, TheAnswerToItsOwnSubmitTakesItOver) {
  JobRecord sending = Submitted(SubmissionState::kSending, v1::JOB_STATE_QUEUED);
  const auto adopted = Load("p-1");
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  const std::string old_id((*adopted)->job_id());
  std::vector<std::string> followed;
  ledger_.Observe([&](const JobRecord& record, const SnapshotPtr& seen) {
    followed.push_back((seen == nullptr ? "not " : "") + record.job.job_id);
  });

  pictory::SubmitReply reply;
  reply.outcome = pictory::SubmitReply::Outcome::kAccepted;
  reply.pictory_job_id = "p-1";
  const Ledger::Outcome stored = Update(AfterReply(sending, reply, clock_.WallNow()));
  ASSERT_TRUE(stored.status.ok()) << stored.status;
  EXPECT_EQ(stored.record.submission, SubmissionState::kAccepted);
  EXPECT_EQ(stored.record.job.state, v1::JOB_STATE_RUNNING) << "states never move back";
  EXPECT_GT(stored.record.job.revision, (*adopted)->revision);
  EXPECT_THAT(followed, testing::ElementsAre("not " + old_id, sending.job.job_id));

  for (const std::string& name : {old_id, std::string("p-1"), sending.job.job_id}) {
    const auto job = Load(name);
    ASSERT_TRUE(job.ok()) << name << job.status();
    EXPECT_EQ((*job)->job_id(), sending.job.job_id);
    EXPECT_EQ(ToProto(**job).labels().at("team"), "a");
    EXPECT_EQ(ToProto(**job).name(), "the film");
  }
  EXPECT_EQ(asked(), 1u);
}

TEST_F(AdopterTest, AnEndedJobIsTakenOverWithItsResult) {
  JobRecord unconfirmed = Submitted(SubmissionState::kUnknown, v1::JOB_STATE_UNCONFIRMED);
  Answer(200, kRendered);
  ASSERT_TRUE(Load("p-1").ok());
  const Ledger::Outcome stored = Update(Adopted(unconfirmed, "p-1", clock_.WallNow()));
  ASSERT_TRUE(stored.status.ok()) << stored.status;
  EXPECT_EQ(stored.record.job.state, v1::JOB_STATE_SUCCEEDED);
  std::string json;
  store_.ReadPart("default", unconfirmed.job.job_id, v1::RESULT_PART_RESULT_JSON, 0, 1000,
                  [&](const absl::StatusOr<PartChunk>& part) { json = part->data; });
  EXPECT_THAT(json, testing::HasSubstr("x.mp4"));
}

// A store whose finds fail.
class Unreadable final : public Jobs {
 public:
  explicit Unreadable(Jobs& under) : under_(under) {}
  void Find(std::string, std::string, StoreCallback<std::optional<JobRecord>> done) override {
    done(absl::ResourceExhaustedError("reads wait"));
  }
  void FindMany(std::vector<JobKey> jobs, StoreCallback<std::vector<JobRecord>> done) override {
    under_.FindMany(std::move(jobs), std::move(done));
  }
  void FindOwner(std::string account, std::string pictory_job_id,
                 StoreCallback<std::optional<std::string>> done) override {
    under_.FindOwner(std::move(account), std::move(pictory_job_id), std::move(done));
  }
  void List(std::string tenant, ListQuery query,
            StoreCallback<std::vector<JobRecord>> done) override {
    under_.List(std::move(tenant), std::move(query), std::move(done));
  }
  void ReadPart(std::string tenant, std::string job_id, v1::ResultPart part, std::int64_t offset,
                std::int64_t max_bytes, StoreCallback<PartChunk> done) override {
    under_.ReadPart(std::move(tenant), std::move(job_id), part, offset, max_bytes, std::move(done));
  }
  void Delete(JobRecord record, StoreDone done) override {
    under_.Delete(std::move(record), std::move(done));
  }
  void Prune(PruneQuery query, StoreCallback<std::vector<JobKey>> done) override {
    under_.Prune(query, std::move(done));
  }
  void NoteAsked(std::string account, Asked asked, StoreDone done) override {
    under_.NoteAsked(std::move(account), asked, std::move(done));
  }

 private:
  Jobs& under_;
};

TEST_F(AdopterTest, AStoreThatCannotBeReadIsNoContradiction) {
  const JobRecord unconfirmed = Submitted(SubmissionState::kUnknown, v1::JOB_STATE_UNCONFIRMED);
  ASSERT_TRUE(Load("p-1").ok());
  Unreadable unreadable(store_);
  Ledger ledger(store_, unreadable, hub_);
  std::optional<absl::Status> status;
  ledger.Update({.record = Adopted(unconfirmed, "p-1", clock_.WallNow())},
                [&](const Ledger::Outcome& stored) { status = stored.status; });
  EXPECT_TRUE(absl::IsResourceExhausted(*status)) << *status;
}

TEST_F(AdopterTest, ARefusedNameIsUnknownAndAPageIsNot) {
  Answer(400, R"({"success":false,"message":"Invalid job id"})");
  EXPECT_EQ(errors::Reason(Load("p-1").status()), "JOB_NOT_FOUND");
  Answer(200, "<html>");
  EXPECT_EQ(Load("p-2").status().code(), absl::StatusCode::kUnavailable);
}

// What callers have seen as SUCCEEDED does not go back to QUEUED for a result of the right kind.
TEST_F(AdopterTest, AResultThatWasReadAsAnotherKindIsReadOnceMoreAndStaysAsItIs) {
  std::vector<std::pair<std::string, bool>> ended;
  ledger_.ObserveEnds(
      [&](const JobRecord& record, bool known) { ended.emplace_back(record.job.job_id, known); });
  JobRecord submitted = Submitted(SubmissionState::kUnknown, v1::JOB_STATE_UNCONFIRMED);
  submitted.job.kind = v1::JOB_KIND_PREVIEW;
  submitted.credits_reserved = 40;
  hub_.Publish(submitted);
  Answer(200, kAtWork);
  const auto working = Load("p-1");
  JobRecord adopted = *Stored("p-1");
  const auto reply = [&] {
    Answer(200, kRendered);
    pictory::JobReply got;
    const UpstreamPtr upstream = upstreams_->Of(kDefaultAccount);
    upstream->GetJob(*upstream->TryTake(Purpose::kPoll), {.pictory_job_id = "p-1"},
                     [&](pictory::JobReply r) { got = std::move(r); });
    return got;
  }();
  Advanced advanced = Advance(adopted, reply, clock_.WallNow());
  ledger_.Update({.record = advanced.record, .parts = PartsToStore(advanced.record, reply)},
                 [](const Ledger::Outcome& stored) { ASSERT_TRUE(stored.status.ok()); });
  ASSERT_EQ(Stored("p-1")->job.kind, v1::JOB_KIND_RENDER);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_FALSE(ended[0].second);

  const Ledger::Outcome taken = Update(Adopted(submitted, "p-1", clock_.WallNow()));
  ASSERT_TRUE(taken.status.ok()) << taken.status;
  ASSERT_NE(taken.seen, nullptr);
  EXPECT_EQ(taken.seen->state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(taken.seen->kind, v1::JOB_KIND_PREVIEW);
  EXPECT_GT(taken.seen->revision, advanced.record.job.revision);
  EXPECT_TRUE(ToProto(*taken.seen).has_preview());
  EXPECT_EQ(taken.record.credits_reserved, 40);
  EXPECT_EQ((*Load(std::string((*working)->job_id())))->state, v1::JOB_STATE_SUCCEEDED)
      << "by the name that callers knew";
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[1], std::pair(std::string(taken.seen->job_id()), true))
      << "it is one job, whose end was told";
}

TEST_F(AdopterTest, AJobThatWasGivenUpTakesNothingOver) {
  JobRecord given_up = Submitted(SubmissionState::kAbandoned, v1::JOB_STATE_OUTCOME_UNKNOWN);
  ASSERT_TRUE(Load("p-1").ok());
  given_up.job.pictory_job_id = "p-1";
  EXPECT_TRUE(absl::IsAlreadyExists(Update(given_up).status));
  EXPECT_TRUE(Load("p-1").ok());
}

}  // namespace
}  // namespace gateway::jobs
