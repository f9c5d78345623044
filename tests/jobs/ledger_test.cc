#include "jobs/ledger.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "jobs/outcome.h"
#include "store/memory_job_store.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    ledger_.Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
      heard_.push_back(record.job.message);
      EXPECT_EQ(hub_.Find("default", "j1"), seen) << "callers see it before anybody acts on it";
    });
  }
  JobRecord Put(SubmissionState submission) {
    std::optional<JobRecord> put;
    ledger_.Begin(test::RecordOf(submission),
                  [&](absl::StatusOr<BeginResult> begun) { put = begun->record; });
    EXPECT_EQ(put->version, 1);
    return put.value_or(JobRecord{});
  }
  Ledger::Outcome Update(Ledger::Change change) {
    std::optional<Ledger::Outcome> outcome;
    ledger_.Update(std::move(change), [&](Ledger::Outcome given) { outcome = std::move(given); });
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(Ledger::Outcome{});
  }
  static JobRecord Saying(JobRecord record, const std::string& message) {
    record.job.message = message;
    ++record.job.revision;
    return record;
  }

  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  Ledger ledger_{store_, store_, hub_};
  std::vector<std::string> heard_;
};

TEST_F(LedgerTest, AChangeIsStoredThenSeenThenNoted) {
  const JobRecord record = Put(SubmissionState::kAccepted);
  bool stored = false;
  const Ledger::Outcome outcome =
      Update({.record = Saying(record, "a"), .stored = [&](const JobRecord& now) {
                stored = true;
                EXPECT_EQ(now.version, 2);
                EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
                EXPECT_TRUE(heard_.empty());
              }});
  EXPECT_TRUE(stored);
  ASSERT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.record.version, 2);
  EXPECT_EQ(outcome.seen->revision, record.job.revision + 1);
  EXPECT_EQ(heard_, std::vector<std::string>{"a"});
}

TEST_F(LedgerTest, WhoComesSecondGetsWhatTheFirstHasMadeOfIt) {
  const JobRecord record = Put(SubmissionState::kAccepted);
  ASSERT_TRUE(Update({.record = Saying(record, "first")}).status.ok());
  const Ledger::Outcome late =
      Update({.record = Saying(record, "second"),
              .stored = [](const JobRecord&) { ADD_FAILURE() << "nothing was stored"; }});
  EXPECT_TRUE(absl::IsAborted(late.status));
  EXPECT_EQ(late.record.job.message, "first");
  EXPECT_EQ(late.seen, nullptr);
  EXPECT_EQ(heard_, std::vector<std::string>{"first"});
  EXPECT_TRUE(Update({.record = Saying(late.record, "second")}).status.ok())
      << "from there it can go on";
}

TEST_F(LedgerTest, WhatCallersDoNotSeeNobodyHearsOf) {
  JobRecord record = Put(SubmissionState::kIntent);
  record.submission = SubmissionState::kSending;
  const Ledger::Outcome sending = Update({.record = record});
  ASSERT_TRUE(sending.status.ok());
  EXPECT_EQ(sending.seen, nullptr);
  record = sending.record;
  record.submission = SubmissionState::kAccepted;
  ASSERT_TRUE(Update({.record = record, .hidden = true}).status.ok());
  EXPECT_TRUE(heard_.empty());
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
}

TEST_F(LedgerTest, AJobThatIsGoneIsNotFound) {
  JobRecord record = Put(SubmissionState::kAccepted);
  record.job.job_id = "other";
  EXPECT_TRUE(absl::IsNotFound(Update({.record = record}).status));
}

TEST_F(LedgerTest, ADeletedJobIsSeenNoMoreAndADeleteNamesItsVersionToo) {
  const JobRecord record = Put(SubmissionState::kAccepted);
  const JobRecord now = Update({.record = Saying(record, "a")}).record;
  std::optional<Ledger::Outcome> outcome;
  ledger_.Delete(record, [&](Ledger::Outcome given) { outcome = std::move(given); });
  ASSERT_TRUE(absl::IsAborted(outcome->status));
  EXPECT_EQ(outcome->record, now);
  EXPECT_NE(hub_.Find("default", "j1"), nullptr);
  JobRecord deleted = now;
  deleted.submission = SubmissionState::kDeleted;
  ledger_.Delete(deleted, [&](Ledger::Outcome given) { outcome = std::move(given); });
  EXPECT_TRUE(outcome->status.ok());
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
}

// These tests are about an answer of Pictory that comes when somebody has decided about the job
// already.

JobRecord Decided(SubmissionState submission, JobState state, const std::string& pictory_job_id) {
  JobRecord record;
  record.submission = submission;
  record.job.state = state;
  record.job.pictory_job_id = pictory_job_id;
  record.job.revision = 2;
  return record;
}

pictory::SubmitReply AcceptedAs(const std::string& pictory_job_id) {
  return {.outcome = pictory::SubmitReply::Outcome::kAccepted, .pictory_job_id = pictory_job_id};
}

TEST(AfterReply, WhatWasGivenUpKeepsTheIdAndItsState) {
  const JobRecord decided = Decided(SubmissionState::kAbandoned, v1::JOB_STATE_OUTCOME_UNKNOWN, "");
  const JobRecord after = AfterReply(decided, AcceptedAs("p1"), WallTime{});
  EXPECT_EQ(after.job.state, v1::JOB_STATE_OUTCOME_UNKNOWN);
  EXPECT_EQ(after.job.pictory_job_id, "p1");
  EXPECT_EQ(after.job.revision, 3);
  EXPECT_NE(after.job.message.find("p1"), std::string::npos);
}

TEST(AfterReply, WhatWasAdoptedStays) {
  const JobRecord decided = Decided(SubmissionState::kAccepted, v1::JOB_STATE_RUNNING, "p1");
  EXPECT_EQ(AfterReply(decided, AcceptedAs("p1"), WallTime{}), decided);
  EXPECT_EQ(AfterReply(decided, AcceptedAs("p2"), WallTime{}), decided);
}

TEST(AfterReply, ARefusalOrSilenceChangesNoDecision) {
  const JobRecord decided = Decided(SubmissionState::kAbandoned, v1::JOB_STATE_OUTCOME_UNKNOWN, "");
  for (const auto outcome :
       {pictory::SubmitReply::Outcome::kRefused, pictory::SubmitReply::Outcome::kUnknown,
        pictory::SubmitReply::Outcome::kNotSent}) {
    EXPECT_EQ(AfterReply(decided, {.outcome = outcome}, WallTime{}), decided);
  }
}

TEST_F(LedgerTest, WhatIsStoredIsCompletedBefore) {
  ledger_.CompleteWith([](JobRecord& record) { record.job.archive_wire = record.job.message; });
  const Ledger::Outcome outcome =
      Update({.record = Saying(Put(SubmissionState::kAccepted), "completed")});
  EXPECT_EQ(outcome.record.job.archive_wire, "completed");
  EXPECT_EQ(outcome.seen->revision, outcome.record.job.revision);
  std::optional<JobRecord> stored;
  store_.Find("default", "j1", [&](const auto& found) { stored = *found; });
  EXPECT_EQ(stored->job.archive_wire, "completed");
}

TEST_F(LedgerTest, WhatIsForgottenIsToldOf) {
  std::vector<JobKey> forgotten;
  ledger_.ForgottenBy([&](const JobKey& key) { forgotten.push_back(key); });
  JobRecord record = Put(SubmissionState::kAccepted);
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  record.job.finish_time = WallTime(std::chrono::seconds(1));
  ASSERT_TRUE(Update({.record = record}).status.ok());
  ledger_.Prune({.finished_before = WallTime(std::chrono::seconds(2)), .limit = 9},
                [](const auto& pruned) { EXPECT_EQ(pruned.value(), 1u); });
  EXPECT_EQ(forgotten, (std::vector<JobKey>{{"default", "j1"}}));
}

}  // namespace
}  // namespace gateway::jobs
