#include "watch/job_filter.h"

#include <gtest/gtest.h>

namespace gateway::watch {
namespace {

namespace v1 = jobs::v1;
using Fit = JobFilter::Fit;

TEST(JobFilterTest, AnEmptyOneFitsAll) {
  const JobFilter all;
  EXPECT_TRUE(all.IsAbout("j1", {}));
  EXPECT_TRUE(all.IsAbout("j1", {{"a", "b"}}));
  EXPECT_EQ(all.FitOf(v1::JOB_KIND_RENDER, v1::JOB_STATE_QUEUED), Fit::kFits);
}

TEST(JobFilterTest, AllLabelsMustBeThere) {
  const JobFilter filter{.labels = {{"a", "1"}, {"b", "2"}}};
  EXPECT_TRUE(filter.IsAbout("j1", {{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_FALSE(filter.IsAbout("j1", {{"a", "1"}}));
  EXPECT_FALSE(filter.IsAbout("j1", {{"a", "1"}, {"b", "3"}}));
}

TEST(JobFilterTest, ByIdsNoneOfThemIsNone) {
  JobFilter filter{.by_id = true};
  EXPECT_FALSE(filter.IsAbout("j1", {}));
  filter.job_ids = {"j1"};
  EXPECT_TRUE(filter.IsAbout("j1", {}));
  EXPECT_FALSE(filter.IsAbout("j2", {}));
}

// States move one way: only who may have fitted can have left.
TEST(JobFilterTest, AJobThatCannotHaveFittedHasNotLeft) {
  const JobFilter running{.states = {v1::JOB_STATE_RUNNING}};
  const auto fit = [&](jobs::JobState state) { return running.FitOf(v1::JOB_KIND_RENDER, state); };
  EXPECT_EQ(fit(v1::JOB_STATE_RUNNING), Fit::kFits);
  for (const auto earlier :
       {v1::JOB_STATE_WAITING, v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_QUEUED}) {
    EXPECT_EQ(fit(earlier), Fit::kNever);
  }
  for (const auto later : {v1::JOB_STATE_SUCCEEDED, v1::JOB_STATE_FAILED, v1::JOB_STATE_EXPIRED}) {
    EXPECT_EQ(fit(later), Fit::kLeft);
  }
  const JobFilter failed{.states = {v1::JOB_STATE_FAILED}};
  EXPECT_EQ(failed.FitOf(v1::JOB_KIND_RENDER, v1::JOB_STATE_SUCCEEDED), Fit::kNever)
      << "a final state stays";
}

TEST(JobFilterTest, AKindIsLeftOnlyIfItWasNotKnown) {
  const JobFilter renders{.kinds = {v1::JOB_KIND_RENDER}};
  EXPECT_EQ(renders.FitOf(v1::JOB_KIND_PREVIEW, v1::JOB_STATE_QUEUED), Fit::kNever);
  EXPECT_EQ(renders.FitOf(v1::JOB_KIND_UNSPECIFIED, v1::JOB_STATE_QUEUED), Fit::kNever);
  const JobFilter unknown{.kinds = {v1::JOB_KIND_UNSPECIFIED}};
  EXPECT_EQ(unknown.FitOf(v1::JOB_KIND_UNSPECIFIED, v1::JOB_STATE_QUEUED), Fit::kFits);
  EXPECT_EQ(unknown.FitOf(v1::JOB_KIND_RENDER, v1::JOB_STATE_SUCCEEDED), Fit::kLeft);
}

}  // namespace
}  // namespace gateway::watch
