#include "jobs/job.h"

#include <gtest/gtest.h>

namespace gateway::jobs {
namespace {

JobRecord Record(SubmissionState submission, JobState state, std::string pictory_job_id) {
  JobRecord record;
  record.submission = submission;
  record.job.state = state;
  record.job.pictory_job_id = std::move(pictory_job_id);
  return record;
}

TEST(JobTest, TheLastSixStatesAreFinal) {
  int ends = 0;
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!IsFinal(static_cast<JobState>(state))) continue;
    ++ends;
    EXPECT_GE(state, v1::JOB_STATE_SUCCEEDED);
    EXPECT_NE(state, v1::JOB_STATE_WAITING);
  }
  EXPECT_EQ(ends, 6);
}

TEST(JobTest, RanksRiseAlongTheOnlyOrder) {
  EXPECT_LT(Rank(v1::JOB_STATE_UNSPECIFIED), Rank(v1::JOB_STATE_WAITING));
  EXPECT_LT(Rank(v1::JOB_STATE_WAITING), Rank(v1::JOB_STATE_UNCONFIRMED));
  EXPECT_LT(Rank(v1::JOB_STATE_UNCONFIRMED), Rank(v1::JOB_STATE_QUEUED));
  EXPECT_LT(Rank(v1::JOB_STATE_QUEUED), Rank(v1::JOB_STATE_RUNNING));
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!IsFinal(static_cast<JobState>(state))) continue;
    EXPECT_LT(Rank(v1::JOB_STATE_RUNNING), Rank(static_cast<JobState>(state)));
    EXPECT_EQ(Rank(v1::JOB_STATE_SUCCEEDED), Rank(static_cast<JobState>(state)))
        << "one final state never follows another by rank";
  }
}

TEST(JobTest, VisibleOncePictoryTookItOrMayHaveOrOnceItWaits) {
  const auto visible = [](SubmissionState submission) {
    return IsVisible(Record(submission, v1::JOB_STATE_QUEUED, "p"));
  };
  EXPECT_FALSE(visible(SubmissionState::kIntent));
  EXPECT_FALSE(visible(SubmissionState::kSending));
  EXPECT_TRUE(visible(SubmissionState::kAccepted));
  EXPECT_FALSE(visible(SubmissionState::kRejected));
  EXPECT_FALSE(visible(SubmissionState::kNotSent));
  EXPECT_TRUE(visible(SubmissionState::kUnknown));
  EXPECT_TRUE(visible(SubmissionState::kAbandoned));
  EXPECT_TRUE(visible(SubmissionState::kWaiting));
  EXPECT_TRUE(IsVisible(Record(SubmissionState::kSending, v1::JOB_STATE_WAITING, "")))
      << "a job that has waited must not vanish while it is sent";
}

TEST(JobTest, PollableIsVisibleUnfinishedAndKnownToPictory) {
  EXPECT_TRUE(IsPollable(Record(SubmissionState::kAccepted, v1::JOB_STATE_QUEUED, "p")));
  EXPECT_TRUE(IsPollable(Record(SubmissionState::kAccepted, v1::JOB_STATE_RUNNING, "p")));
  EXPECT_FALSE(IsPollable(Record(SubmissionState::kAccepted, v1::JOB_STATE_SUCCEEDED, "p")));
  EXPECT_FALSE(IsPollable(Record(SubmissionState::kUnknown, v1::JOB_STATE_UNCONFIRMED, "")));
  EXPECT_FALSE(IsPollable(Record(SubmissionState::kNotSent, v1::JOB_STATE_QUEUED, "p")));
}

TEST(JobTest, NamesAreTheWordsOfTheApi) {
  EXPECT_EQ(StateName(v1::JOB_STATE_RUNNING), "RUNNING");
  EXPECT_EQ(StateName(v1::JOB_STATE_OUTCOME_UNKNOWN), "OUTCOME_UNKNOWN");
  EXPECT_EQ(StateName(static_cast<JobState>(99)), "99");
  EXPECT_EQ(KindName(v1::JOB_KIND_PREVIEW), "PREVIEW");
  EXPECT_EQ(KindName(v1::JOB_KIND_UNSPECIFIED), "UNSPECIFIED");
}

}  // namespace
}  // namespace gateway::jobs
