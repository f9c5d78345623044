#include "jobs/deleter.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/errors.h"
#include "jobs/archive_plan.h"
#include "jobs/retention.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/records.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;

class DeleterTest : public testing::Test {
 protected:
  JobRecord Put(JobState state, const std::string& id = "j1") {
    const SubmissionState submission =
        state == v1::JOB_STATE_UNCONFIRMED       ? SubmissionState::kUnknown
        : state == v1::JOB_STATE_OUTCOME_UNKNOWN ? SubmissionState::kAbandoned
                                                 : SubmissionState::kAccepted;
    JobRecord record = test::RecordOf(submission, id, clock_.WallNow());
    record.job.state = state;
    record.job.revision = 3;
    record.job.labels = {{"a", "b"}};
    record.job.name = "the film";
    if (IsFinal(state)) record.job.finish_time = clock_.WallNow();
    store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; });
    hub_.Publish(record);
    return record;
  }
  absl::StatusOr<v1::Job> Delete(const std::string& name) {
    std::optional<absl::StatusOr<v1::Job>> answer;
    deleter_.Delete("default", name, [&](auto given) { answer = std::move(given); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }
  std::optional<JobRecord> Stored(const std::string& id = "j1") {
    std::optional<JobRecord> found;
    store_.FindRequest("default", "request-" + id, [&](const auto& record) { found = *record; });
    return found;
  }
  bool Known(const std::string& id = "j1") {
    bool known = false;
    hub_.Load("default", id, [&](const auto& found) { known = found.ok(); });
    return known;
  }

  test::FakeClock clock_;
  Shards shards_{/*alone=*/true, clock_};
  test::FakeTransport transport_;
  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  std::unique_ptr<Upstreams> upstreams_ =
      MakeUpstreams({.requests_per_second = 1000, .burst = 1000}, transport_, clock_);
  Upstream* const upstream_ = upstreams_->Of(kDefaultAccount).get();
  Ledger ledger_{store_, store_, hub_};
  Deleter deleter_{*upstreams_, ledger_, store_, clock_};
};

TEST_F(DeleterTest, CleansAtPictoryFirstAndThenHere) {
  Put(v1::JOB_STATE_SUCCEEDED);
  transport_.SetScript([this](const http::Request& request) {
    EXPECT_EQ(request.method, "DELETE");
    EXPECT_EQ(request.path, "/v1/jobs/p-j1/clean");
    EXPECT_TRUE(Known());
    return Reply(200, R"({"success":true})");
  });
  const auto deleted = Delete("p-j1");  // by either name
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->job_id(), "j1");
  EXPECT_EQ(deleted->state(), v1::JOB_STATE_CLEANED);
  EXPECT_EQ(deleted->labels().at("a"), "b");
  EXPECT_EQ(deleted->revision(), 4);
  EXPECT_FALSE(Known());
  EXPECT_EQ(errors::Reason(Delete("j1").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(Stored()->submission, SubmissionState::kDeleted) << "its request_id is still taken";
  EXPECT_EQ(deleted->name(), "the film");
  EXPECT_EQ(Stored()->job.name, "");
}

// The job was given up, and then Pictory said that it had accepted it: what it has made there goes
// as well.
TEST_F(DeleterTest, OfAJobThatWasGivenUpTheOutputsGoIfItsIdIsKnown) {
  JobRecord record = Put(v1::JOB_STATE_OUTCOME_UNKNOWN);
  record.version = 1;
  record.job.pictory_job_id = "p-j1";
  ledger_.Update({.record = record},
                 [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
  EXPECT_TRUE(Delete("j1").ok());
  ASSERT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(transport_.requests()[0].path, "/v1/jobs/p-j1/clean");
}

TEST_F(DeleterTest, WhatHasNotEndedStays) {
  for (const JobState state :
       {v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING}) {
    const std::string id = "j" + std::to_string(state);
    Put(state, id);
    const absl::Status refused = Delete(id).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(errors::Reason(refused), "JOB_NOT_DELETABLE");
    EXPECT_TRUE(Known(id));
  }
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(DeleterTest, WhilePictoryCannotBeAskedNothingIsDeleted) {
  Put(v1::JOB_STATE_SUCCEEDED);
  for (const http::Response& reply : {Reply(503, "x"), test::NotSent(), test::Cut(),
                                      Reply(401, R"({"message":"Unauthorized"})")}) {
    transport_.AnswerAllWith(reply);
    EXPECT_FALSE(Delete("j1").ok());
    EXPECT_TRUE(Known());
  }
  transport_.AnswerAllWith(Reply(429, "{}", {{"retry-after", "30"}}));
  EXPECT_EQ(Delete("j1").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(errors::Reason(Delete("j1").status()), "UPSTREAM_RATE_LIMITED") << "the account rests";
}

TEST_F(DeleterTest, WhatPictoryDoesNotHaveOrDoesNotLetGoIsDeletedHere) {
  Put(v1::JOB_STATE_FAILED);
  transport_.AnswerAllWith(Reply(404, "{}"));
  EXPECT_TRUE(Delete("j1").ok());
  Put(v1::JOB_STATE_EXPIRED, "j2");
  transport_.AnswerAllWith(Reply(400, R"({"code":"JOB_NOT_COMPLETED","message":"m"})"));
  EXPECT_TRUE(Delete("j2").ok());
  const std::size_t asked = transport_.requests().size();
  Put(v1::JOB_STATE_OUTCOME_UNKNOWN, "j3");
  EXPECT_TRUE(Delete("j3").ok());
  Put(v1::JOB_STATE_CLEANED, "j4");
  EXPECT_TRUE(Delete("j4").ok());
  EXPECT_EQ(transport_.requests().size(), asked);
}

// Deletes jobs whose files are archived.
class FilesTest : public DeleterTest {
 protected:
  JobRecord PutArchived() {
    JobRecord record = Put(v1::JOB_STATE_SUCCEEDED);
    record.version = 1;
    record.job.archive_wire = "an archive";
    ledger_.Update({.record = record},
                   [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
    transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
    return record;
  }
  absl::StatusOr<v1::Job> DeleteWithFiles() {
    std::optional<absl::StatusOr<v1::Job>> answer;
    with_files_.Delete("default", "j1", [&](auto given) { answer = std::move(given); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  absl::Status removed_;
  std::vector<JobKey> asked_;
  Deleter with_files_{*upstreams_, ledger_, store_, clock_,
                      [this](const JobKey& job, const std::function<void(absl::Status)>& removed) {
                        EXPECT_TRUE(Known()) << "the record goes last";
                        EXPECT_EQ(transport_.requests().size(), 1u) << "Pictory's outputs go first";
                        asked_.push_back(job);
                        removed(removed_);
                      }};
};

TEST_F(FilesTest, TheyGoBeforeTheJob) {
  PutArchived();
  ASSERT_TRUE(DeleteWithFiles().ok());
  EXPECT_EQ(asked_, (std::vector<JobKey>{{"default", "j1"}}));
  EXPECT_FALSE(Known());
  EXPECT_EQ(Stored()->job.archive_wire, "");
}

TEST_F(FilesTest, ThoseUnderOtherNamesGoToo) {
  JobRecord record = PutArchived();
  v1::Archive archive;
  archive.add_files()->set_state(v1::ARCHIVE_STATE_ARCHIVED);
  archive.add_taken_over("adopted");
  record.version = 2;
  SetArchive(archive, record.job);
  ledger_.Update({.record = record},
                 [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  ASSERT_TRUE(DeleteWithFiles().ok());
  EXPECT_EQ(asked_, (std::vector<JobKey>{{"default", "j1"}, {"default", "adopted"}}));
}

// The next start with an archive removes them.
TEST_F(FilesTest, WithoutAnArchiveTheRecordSaysThatTheyAreStillToGo) {
  const JobRecord record = PutArchived();
  const auto answer = Delete("j1");
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(answer->has_archive());
  EXPECT_FALSE(Known());
  EXPECT_EQ(Stored()->job.archive_wire, record.job.archive_wire);
  std::vector<JobKey> archiving;
  store_.ReadArchiving(
      {record.job.shard}, [&](ShardJob job) { archiving.push_back(job.job); },
      [](const absl::Status& read) { EXPECT_TRUE(read.ok()) << read; });
  EXPECT_EQ(archiving, (std::vector<JobKey>{{"default", "j1"}}));
}

TEST_F(FilesTest, AJobWhoseFilesDoNotGoStays) {
  PutArchived();
  removed_ = absl::InternalError("Input/output error");
  EXPECT_EQ(DeleteWithFiles().status(), removed_);
  EXPECT_TRUE(Known());
}

TEST_F(FilesTest, WhereNothingIsArchivedNobodyIsAsked) {
  Put(v1::JOB_STATE_SUCCEEDED);
  transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
  ASSERT_TRUE(DeleteWithFiles().ok());
  EXPECT_TRUE(asked_.empty());
}

class RetentionTest : public DeleterTest {
 protected:
  Retention retention_{
      {.finished_kept = 30 * 24h, .request_ids_kept = 7 * 24h}, shards_, ledger_, clock_, clock_,
      [this](std::size_t count) { pruned_ += count; }};
  std::size_t pruned_ = 0;
};

TEST_F(RetentionTest, FinishedJobsGoAfterTheirTimeAndOthersStay) {
  for (int i = 0; i < 450; ++i) Put(v1::JOB_STATE_SUCCEEDED, "done-" + std::to_string(i));
  Put(v1::JOB_STATE_UNCONFIRMED, "in-doubt");
  Put(v1::JOB_STATE_RUNNING, "running");
  retention_.Start();
  clock_.Advance(30 * 24h - 1h);
  EXPECT_EQ(pruned_, 0u);
  Put(v1::JOB_STATE_SUCCEEDED, "new");
  clock_.Advance(2h);
  EXPECT_EQ(pruned_, 450u) << "in batches, one soon after the other";
  EXPECT_FALSE(Known("done-7"));
  EXPECT_TRUE(Known("in-doubt"));
  EXPECT_TRUE(Known("running"));
  EXPECT_TRUE(Known("new"));
  retention_.Stop();
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(RetentionTest, AClockThatIsSetForwardMakesNothingOld) {
  Put(v1::JOB_STATE_SUCCEEDED, "done");
  const WallTime answered = clock_.WallNow();
  retention_.Start(answered);
  clock_.Advance(24h);
  clock_.JumpWall(365 * 24h);
  clock_.Advance(24h);
  EXPECT_TRUE(Known("done"));
  retention_.Stop();
  Retention next({.finished_kept = 30 * 24h, .request_ids_kept = 7 * 24h}, shards_, ledger_, clock_,
                 clock_, nullptr);
  next.Start(answered);  // nor does a start by such a clock
  clock_.Advance(24h);
  EXPECT_TRUE(Known("done"));
  clock_.Advance(30 * 24h);
  EXPECT_FALSE(Known("done")) << "kept as long as it should be";
}

TEST_F(RetentionTest, RequestIdsAreKeptAtLeastAWeekWhateverTheJobsAre) {
  Retention eager({.finished_kept = 1h, .request_ids_kept = 7 * 24h}, shards_, ledger_, clock_,
                  clock_, nullptr);
  Put(v1::JOB_STATE_SUCCEEDED, "done");
  Put(v1::JOB_STATE_SUCCEEDED, "deleted");
  transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
  ASSERT_TRUE(Delete("deleted").ok());
  eager.Start();
  clock_.Advance(7 * 24h - 1h);
  EXPECT_TRUE(Stored("done").has_value());
  EXPECT_TRUE(Stored("deleted").has_value());
  clock_.Advance(2h);
  EXPECT_FALSE(Stored("done").has_value());
  EXPECT_FALSE(Stored("deleted").has_value());
}

// Pictory's answer to the submit comes while the job that was adopted meanwhile is being deleted.
TEST_F(DeleterTest, AJobThatIsTakenOverMeanwhileIsDeletedUnderItsNewName) {
  const auto stored = [](const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; };
  JobRecord adopted = test::RecordOf(SubmissionState::kAccepted, "adopted", clock_.WallNow());
  adopted.job.request_id.clear();
  adopted.job.state = v1::JOB_STATE_SUCCEEDED;
  adopted.job.finish_time = clock_.WallNow();
  store_.Adopt(adopted, stored);
  const JobRecord own = test::RecordOf(SubmissionState::kUnknown, "own", clock_.WallNow());
  store_.Adopt(own, stored);
  int cleans = 0;
  transport_.SetScript([&](const http::Request&) {
    if (++cleans == 1) {
      JobRecord accepted = own;
      accepted.version = 1;
      accepted.submission = SubmissionState::kAccepted;
      accepted.job.pictory_job_id = "p-adopted";
      accepted.job.state = v1::JOB_STATE_QUEUED;
      ++accepted.job.revision;
      ledger_.Update({.record = accepted}, [](const Ledger::Outcome& outcome) {
        ASSERT_TRUE(outcome.status.ok()) << outcome.status;
      });
    }
    return Reply(200, R"({"success":true})");
  });
  const auto deleted = Delete("adopted");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->job_id(), "own");
  EXPECT_EQ(deleted->state(), v1::JOB_STATE_CLEANED);
  EXPECT_FALSE(Known("own"));
  EXPECT_FALSE(Known("adopted"));
  EXPECT_EQ(cleans, 2);
}

}  // namespace
}  // namespace gateway::jobs
