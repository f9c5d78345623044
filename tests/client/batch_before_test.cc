// What a file has in common with the jobs that were made of it.
#include "batch_before.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pictory_jobs::cli {
namespace {

using ::testing::HasSubstr;

std::vector<BatchLine> Lines(const std::vector<std::string>& ids) {
  std::vector<BatchLine> lines;
  for (const std::string& id : ids) {
    BatchLine line{.number = static_cast<int>(lines.size()) + 1};
    line.request_id = id;
    lines.push_back(std::move(line));
  }
  return lines;
}

Job JobOf(const std::string& id, JobState state = v1::JOB_STATE_SUCCEEDED) {
  Job job;
  job.set_job_id("job-" + id);
  job.set_request_id(id);
  job.set_state(state);
  return job;
}

TEST(BatchBefore, LinesMayComeAndLinesMayGoButNotBoth) {
  const std::vector<Job> before = {JobOf("a"), JobOf("b", v1::JOB_STATE_UNCONFIRMED)};
  for (const auto& ids : std::vector<std::vector<std::string>>{
           {}, {"a"}, {"a", "b"}, {"b", "a"}, {"new", "b", "a", "newer"}}) {
    EXPECT_EQ(WhatChanged("f", Lines(ids), before), std::nullopt) << ids.size();
  }
  EXPECT_EQ(WhatChanged("f", Lines({"x", "y"}), {}), std::nullopt);
  const auto changed = WhatChanged("f", Lines({"x", "a", "y", "z"}), before);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->reason, "LINES_CHANGED");
  EXPECT_THAT(changed->message,
              HasSubstr("1 line that was submitted before is not in it as it was, "
                        "and lines 1, 3-4 are new; nothing was submitted"));
  EXPECT_THAT(changed->hint, HasSubstr("pictory delete job-b\n"));
}

// Its line is changed so that it succeeds.
TEST(BatchBefore, WhatEndedWithoutAResultIsNotMissed) {
  for (const JobState state :
       {v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED, v1::JOB_STATE_EXPIRED}) {
    EXPECT_EQ(WhatChanged("f", Lines({"mended"}), {JobOf("a", state)}), std::nullopt);
    EXPECT_TRUE(WhatChanged("f", Lines({"mended", "a"}), {JobOf("a", state), JobOf("b")}));
  }
  for (const JobState state : {v1::JOB_STATE_WAITING, v1::JOB_STATE_RUNNING, v1::JOB_STATE_CLEANED,
                               v1::JOB_STATE_OUTCOME_UNKNOWN}) {
    EXPECT_NE(WhatChanged("f", Lines({"mended"}), {JobOf("a", state)}), std::nullopt);
  }
}

TEST(BatchBefore, SomeOfManyJobsAreNamed) {
  const auto changed =
      WhatChanged("f", Lines({"x"}), {JobOf("1"), JobOf("2"), JobOf("3"), JobOf("4"), JobOf("5")});
  ASSERT_TRUE(changed.has_value());
  EXPECT_THAT(changed->message, HasSubstr("5 lines that were submitted before are not in it"));
  EXPECT_THAT(changed->hint, HasSubstr("pictory delete job-1 job-2 job-3 …\n"));
}

}  // namespace
}  // namespace pictory_jobs::cli
