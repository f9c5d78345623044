#include "face/events.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;

const google::protobuf::MethodDescriptor& Watch() {
  return *v1::ListJobsRequest::descriptor()
              ->file()
              ->FindServiceByName("PictoryJobs")
              ->FindMethodByName("WatchJob");
}

EventForm FormOf(const std::string& accept) { return *EventFormOf(&accept); }

TEST(EventsTest, TakesTheFormThatIsWantedMost) {
  EXPECT_EQ(*EventFormOf(nullptr), EventForm::kSse);
  EXPECT_EQ(FormOf("*/*"), EventForm::kSse);
  EXPECT_EQ(FormOf("text/event-stream"), EventForm::kSse);
  EXPECT_EQ(FormOf("application/x-ndjson"), EventForm::kLines);
  EXPECT_EQ(FormOf("application/json, */*;q=0.1"), EventForm::kLines);
  EXPECT_EQ(FormOf("application/jsonl;q=0.5, text/*;q=0.9"), EventForm::kSse);
  const std::string html = "text/html, application/json;q=0";
  EXPECT_EQ(errors::Reason(EventFormOf(&html).status()), "NOT_ACCEPTABLE");
}

TEST(EventsTest, AnEventHasTheRevisionAsItsId) {
  v1::WatchJobResponse message;
  message.mutable_job()->set_revision(7);
  const std::string text = EventText(message, Watch(), EventForm::kSse);
  EXPECT_EQ(text.substr(0, 13), "id: 7\ndata: {");
  EXPECT_EQ(text.substr(text.size() - 3), "}\n\n");
  const std::string line = EventText(message, Watch(), EventForm::kLines);
  EXPECT_EQ(line.substr(0, 8), "{\"job\":{");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(EventsTest, AHeartbeatIsAComment) {
  v1::WatchJobResponse message;
  message.mutable_heartbeat()->set_revision(9);
  EXPECT_EQ(EventText(message, Watch(), EventForm::kSse), ": heartbeat\nid: 9\n\n");
  EXPECT_EQ(EventText(message, Watch(), EventForm::kLines),
            "{\"heartbeat\":{\"revision\":9,\"upstreamDegraded\":false,\"storeAway\":false}}\n");
}

TEST(EventsTest, TheEndSaysWhatWentWrong) {
  EXPECT_EQ(EndText(absl::OkStatus(), EventForm::kSse), "");
  const absl::Status draining = errors::Draining(std::chrono::milliseconds(250));
  const std::string sse = EndText(draining, EventForm::kSse);
  EXPECT_EQ(sse.substr(0, 46), "retry: 250\nevent: status\ndata: {\"code\":14,\"mes");
  EXPECT_EQ(EndText(draining, EventForm::kLines).substr(0, 20), "{\"error\":{\"code\":14,");
}

}  // namespace
}  // namespace gateway::face
