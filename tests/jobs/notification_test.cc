#include "jobs/notification.h"

#include <gtest/gtest.h>

#include <set>

#include "jobs/outcome.h"

namespace gateway::jobs {
namespace {

WallTime Second(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

JobRecord RecordIn(JobState state) {
  JobRecord record;
  record.job.job_id = "j1";
  record.job.state = state;
  record.job.update_time = Second(70);
  record.submission = SubmissionState::kAccepted;
  return record;
}

TEST(Notification, IsPlannedOnceForAState) {
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_UNSPECIFIED);
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/true));
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_PENDING);
  EXPECT_EQ(NotificationOf(record).job_state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(NotificationOf(record).event_time().seconds(), 70);
  const std::string planned = record.notify_wire;
  EXPECT_FALSE(PlanNotification(record, /*has_room=*/true));
  EXPECT_FALSE(PlanNotification(record, /*has_room=*/false));
  EXPECT_EQ(record.notify_wire, planned);
}

TEST(Notification, OfANewStateTakesThePlaceOfTheOneBefore) {
  JobRecord record = RecordIn(v1::JOB_STATE_UNCONFIRMED);
  v1::Notification named;
  named.set_url("https://hooks.example/a?secret=1");
  SetNotification(named, record);
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_UNSPECIFIED);
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/true));
  v1::Notification tried = NotificationOf(record);
  tried.set_tries(3);
  tried.set_problem("answered 500");
  SetNotification(tried, record);
  record.job.state = v1::JOB_STATE_FAILED;
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/true));
  const v1::Notification now = NotificationOf(record);
  EXPECT_EQ(now.job_state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(now.url(), "https://hooks.example/a?secret=1");
  EXPECT_EQ(now.tries(), 0);
  EXPECT_EQ(now.problem(), "");
}

TEST(Notification, WithoutRoomItIsGivenUpAndSaysWhy) {
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/false));
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_GIVEN_UP);
  EXPECT_NE(NotificationOf(record).problem(), "");
}

TEST(Notification, OfADeletedJobNobodyIsTold) {
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/true));
  record.submission = SubmissionState::kDeleted;
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_UNSPECIFIED);
}

TEST(Notification, IsNamedByTheJobAndItsState) {
  std::set<std::string> names;
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!v1::JobState_IsValid(state)) continue;
    const auto each = static_cast<JobState>(state);
    EXPECT_EQ(NotificationId("j1", each), NotificationId("j1", each));
    names.insert(NotificationId("j1", each));
    names.insert(NotificationId("j2", each));
  }
  EXPECT_EQ(names.size(), 2U * v1::JobState_descriptor()->value_count());
  EXPECT_EQ(NotificationId("j1", v1::JOB_STATE_OUTCOME_UNKNOWN), "msg_j1_outcome_unknown");
}

TEST(Notification, IsShownWithoutTheQueryOfItsUrl) {
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  v1::Notification named;
  named.set_url("https://hooks.example/a?secret=1");
  SetNotification(named, record);
  ASSERT_TRUE(PlanNotification(record, /*has_room=*/true));
  const v1::Notification shown = ShownNotification(record);
  EXPECT_EQ(shown.url(), "https://hooks.example/a");
  EXPECT_EQ(shown.job_id(), "j1");
  EXPECT_EQ(shown.notification_id(), "msg_j1_succeeded");
}

TEST(Notification, BytesThatAreNoneTellNobody) {
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  record.notify_wire = "\xff\xff";
  EXPECT_EQ(NotifyingOf(record), v1::NOTIFICATION_STATE_UNSPECIFIED);
}

// The submitter's URL counts; what was planned for the adopted job does not.
TEST(Notification, OfAJobThatTakesAnotherOverIsItsOwn) {
  JobRecord submitted = RecordIn(v1::JOB_STATE_UNCONFIRMED);
  v1::Notification named;
  named.set_url("https://hooks.example/mine");
  SetNotification(named, submitted);
  JobRecord adopted = RecordIn(v1::JOB_STATE_SUCCEEDED);
  adopted.job.job_id = "j2";
  ASSERT_TRUE(PlanNotification(adopted, /*has_room=*/true));
  JobRecord taking = TakingOver(submitted, adopted);
  EXPECT_EQ(taking.notify_wire, submitted.notify_wire);
  EXPECT_TRUE(PlanNotification(taking, /*has_room=*/true));
}

}  // namespace
}  // namespace gateway::jobs
