#include "face/entity_tag.h"

#include <gtest/gtest.h>

#include <set>

#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;

TEST(TagOfJobTest, IsTheRevisionWhereThatIsAll) {
  v1::GetJobResponse answer;
  EXPECT_EQ(TagOfJob(answer), "");
  answer.mutable_job()->set_revision(3);
  EXPECT_EQ(TagOfJob(answer), "W/\"3\"");
  EXPECT_EQ(TagOfJob(v1::ListJobsResponse()), "");
}

// Who polls with the tag would not learn of it.
TEST(TagOfJobTest, ChangesWithWhatHasNoRevision) {
  v1::GetJobResponse answer;
  v1::Job& job = *answer.mutable_job();
  job.set_revision(3);
  std::set<std::string> tags = {TagOfJob(answer)};
  job.mutable_estimate()->mutable_likely_finish_time()->set_seconds(100);
  EXPECT_TRUE(tags.insert(TagOfJob(answer)).second);
  EXPECT_FALSE(tags.insert(TagOfJob(v1::GetJobResponse(answer))).second) << "as long as it is so";
  job.mutable_estimate()->mutable_likely_finish_time()->set_seconds(101);
  EXPECT_TRUE(tags.insert(TagOfJob(answer)).second);
  job.mutable_estimate()->set_stalled(true);
  EXPECT_TRUE(tags.insert(TagOfJob(answer)).second);
  job.set_upstream_degraded(true);
  EXPECT_TRUE(tags.insert(TagOfJob(answer)).second);
}

}  // namespace
}  // namespace gateway::face
