#include "notify/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "jobs/notification.h"
#include "jobs/snapshot.h"
#include "json/api_writer.h"
#include "support/records.h"
#include "tenants/notify_rules.h"

namespace gateway::notify {
namespace {

namespace v1 = jobs::v1;
using testing::HasSubstr;
using testing::Not;

TEST(Event, IsACloudEventWithTheJob) {
  jobs::JobRecord record =
      test::RecordOf(jobs::SubmissionState::kAccepted, "j1", WallTime(std::chrono::seconds(86400)));
  record.job.tenant = "acme";
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  record.job.labels = {{"team", "x"}};
  ASSERT_TRUE(jobs::PlanNotification(record, /*has_room=*/true));
  EXPECT_EQ(EventBody(record),
            R"({"specversion":"1.0","id":"msg_j1_succeeded",)"
            R"("source":"/pictory-gateway/tenants/acme","type":"pictory.jobs.v1.job.succeeded",)"
            R"("subject":"j1","time":"1970-01-02T00:00:00Z","datacontenttype":"application/json",)"
            R"("data":)" +
                json::ApiJson(jobs::ToListProto(record.job)) + "}");
}

TEST(Event, HasNoTexts) {
  jobs::JobRecord record = test::RecordOf(jobs::SubmissionState::kAccepted);
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  v1::Job result;
  result.mutable_transcription()->set_txt("all that was said");
  record.job.result_wire = result.SerializeAsString();
  ASSERT_TRUE(jobs::PlanNotification(record, /*has_room=*/true));
  EXPECT_THAT(EventBody(record), Not(HasSubstr("all that was said")));
}

TEST(Event, OfEachStateHasAnotherType) {
  std::set<std::string> types;
  int states = 0;
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!v1::JobState_IsValid(state)) continue;
    ++states;
    types.insert(EventType(static_cast<jobs::JobState>(state)));
  }
  EXPECT_EQ(types.size(), static_cast<std::size_t>(states));
}

// A state that is added has to be decided about.
TEST(States, ExactlyTheFinalOnesAreToldByDefault) {
  const std::set<v1::JobState> told = tenants::NotifyRules().states;
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!v1::JobState_IsValid(state)) continue;
    const auto each = static_cast<v1::JobState>(state);
    EXPECT_EQ(told.contains(each), jobs::IsFinal(each)) << v1::JobState_Name(each);
    std::string word = jobs::StateName(each);
    for (char& c : word) c = static_cast<char>(std::tolower(c));
    const bool selectable = jobs::IsFinal(each) || each == v1::JOB_STATE_UNCONFIRMED;
    EXPECT_EQ(tenants::StateToTell(word), selectable ? each : v1::JOB_STATE_UNSPECIFIED) << word;
    if (selectable) {
      EXPECT_THAT(tenants::kStatesToTell, HasSubstr(word));
    }
  }
}

}  // namespace
}  // namespace gateway::notify
