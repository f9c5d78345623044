#include "json/api_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "json/api_writer.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using testing::HasSubstr;

std::string FirstKnown(std::string_view word, const std::vector<std::string>& known) {
  for (const std::string& one : known) {
    if (one.size() == word.size() && one[0] == word[0]) return one;
  }
  return "";
}

template <class Message>
std::string WrongWith(const std::string& text, Message& message) {
  std::string said;
  for (const auto& one : ReadApi(text, message, {.nearest = FirstKnown})) {
    absl::StrAppend(&said, one.field, ": ", one.description, "\n");
  }
  return said;
}

TEST(ApiReaderTest, ReadsBothSpellings) {
  v1::CreatePreviewRequest request;
  EXPECT_EQ(WrongWith(R"({"request_id":"r1","labels":{"a":"b"},
                          "storyboard":{"videoName":"demo","scenes":[{"story":"Hi."},{}]}})",
                      request),
            "");
  EXPECT_EQ(request.request_id(), "r1");
  EXPECT_EQ(request.labels().at("a"), "b");
  EXPECT_EQ(request.storyboard().video_name(), "demo");
  EXPECT_EQ(request.storyboard().scenes_size(), 2);
}

TEST(ApiReaderTest, ReadsFreeValues) {
  v1::CreatePreviewRequest request;
  const std::string text =
      R"({"storyboard":{"webhookInput":{"n":1.5,"t":true,"z":null,"l":[1,"x",{"k":[]}]}}})";
  EXPECT_EQ(WrongWith(text, request), "");
  std::string json = ApiJson(request);
  EXPECT_THAT(json,
              HasSubstr(R"("webhookInput":{"l":[1,"x",{"k":[]}],"n":1.5,"t":true,"z":null})"));
}

struct WrongRow {
  const char* text;
  const char* says;
};

TEST(ApiReaderTest, SaysWhatIsWrongAndWhere) {
  for (const WrongRow& row :
       {WrongRow{R"({"storyboard":{"scenes":[{},{"storx":"x"}]}})",
                 "storyboard.scenes[1].storx: is not known here; did you mean story?\n"},
        WrongRow{R"({"zzz":{"a":[1,{"b":2}]}})", "zzz: is not known here\n"},
        WrongRow{R"({"requestId":"a","request_id":"b"})",
                 "request_id: is there already, as requestId\n"},
        WrongRow{R"({"storyboard":{},"storyboardJson":"{}"})",
                 "storyboardJson: excludes storyboard, which is there too\n"},
        WrongRow{R"({"requestId":7})", "requestId: must be a string\n"},
        WrongRow{R"({"requestId":{}})", "requestId: must be a string\n"},
        WrongRow{R"({"allowUnknownFields":"true"})", "allowUnknownFields: must be true or false\n"},
        WrongRow{R"({"storyboard":7})", "storyboard: must be an object\n"},
        WrongRow{R"({"storyboard":[]})", "storyboard: must be an object\n"},
        WrongRow{R"({"storyboard":{"scenes":{}}})", "storyboard.scenes: must be an array\n"},
        WrongRow{R"({"storyboard":{"scenes":[7]}})", "storyboard.scenes[0]: must be an object\n"},
        WrongRow{R"({"storyboard":{"webhookInput":[]}})",
                 "storyboard.webhookInput: must be an object\n"},
        WrongRow{R"({"storyboard":{"webhookInput":{"n":0.12345678901234567890123}}})",
                 "storyboard.webhookInput.n: has more digits than a number can carry; leave some "
                 "out, or send it as a text\n"}}) {
    v1::CreatePreviewRequest request;
    EXPECT_EQ(WrongWith(row.text, request), row.says) << row.text;
  }
}

TEST(ApiReaderTest, NullIsAbsence) {
  v1::CreatePreviewRequest request;
  EXPECT_EQ(WrongWith(R"({"requestId":null,"labels":null,"storyboard":null,"storyboardJson":"{}"})",
                      request),
            "");
  EXPECT_EQ(request.storyboard_json(), "{}");
}

TEST(ApiReaderTest, ReadsNumbersExactly) {
  v1::ListJobsRequest list;
  for (const char* const seven : {"7", "\"7\"", "7.0", "70e-1"}) {
    EXPECT_EQ(WrongWith(absl::StrCat("{\"pageSize\":", seven, "}"), list), "") << seven;
    EXPECT_EQ(list.page_size(), 7);
  }
  for (const char* const bad : {"7.5", "2147483648", "1e99", "\"x\"", "true", "1e999"}) {
    EXPECT_NE(WrongWith(absl::StrCat("{\"pageSize\":", bad, "}"), list), "") << bad;
  }
}

TEST(ApiReaderTest, ReadsLargeWholeNumbersExactly) {
  v1::ReadArchivedFileRequest request;
  for (const auto& [text, number] :
       {std::pair{"1e10", std::int64_t{10'000'000'000}},
        {"1.0", 1},
        {"10000000000.0", 10'000'000'000},
        {"\"1e10\"", 10'000'000'000},
        {"0.12e2", 12},
        {"0e99999", 0},
        {"-0.0", 0},
        {"-2e3", -2'000},
        {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
        {"9223372036854775807.0", std::numeric_limits<std::int64_t>::max()},
        {"922337203685477580.7e1", std::numeric_limits<std::int64_t>::max()},
        {"-9.223372036854775808e18", std::numeric_limits<std::int64_t>::min()},
        {"9007199254740993.0", 9'007'199'254'740'993}}) {
    request.set_offset(77);
    EXPECT_EQ(WrongWith(absl::StrCat("{\"offset\":", text, "}"), request), "") << text;
    EXPECT_EQ(request.offset(), number) << text;
  }
  for (const char* const beyond : {"9223372036854775808", "9223372036854775808.0", "1e19", "1e400",
                                   "-9223372036854775809.0", "1e99999999999999999999"}) {
    EXPECT_EQ(WrongWith(absl::StrCat("{\"offset\":", beyond, "}"), request),
              "offset: is a number beyond what fits\n")
        << beyond;
  }
  for (const char* const broken : {"1.5", "1e-1", "9007199254740993.5", "1e-400", "\"\"", "\" 1\"",
                                   "\"1e\"", "\"inf\"", "\"0x10\""}) {
    EXPECT_EQ(WrongWith(absl::StrCat("{\"offset\":", broken, "}"), request),
              "offset: must be a whole number\n")
        << broken;
  }
}

TEST(ApiReaderTest, RefusesMoreThanARequestMayHold) {
  std::string scenes = "{\"storyboard\":{\"scenes\":[{}";
  for (std::size_t i = 0; i <= limits::kRequestMessagesMax; ++i) scenes += ",{}";
  v1::CreatePreviewRequest request;
  EXPECT_THAT(WrongWith(scenes + "]}}", request), HasSubstr("more than"));
  std::string states = "{\"states\":[1";
  for (int i = 0; i < 100; ++i) states += ",1";
  v1::ListJobsRequest list;
  EXPECT_THAT(WrongWith(states + "]}", list), HasSubstr("states has more than 64 elements"));
}

// What the reader and the writer can do is what the API has.
void CheckTypes(const Descriptor& type, std::set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto cpp = field.cpp_type();
    EXPECT_TRUE(cpp != FieldDescriptor::CPPTYPE_UINT32 && cpp != FieldDescriptor::CPPTYPE_UINT64 &&
                cpp != FieldDescriptor::CPPTYPE_FLOAT)
        << field.full_name();
    if (field.is_map()) {
      EXPECT_EQ(field.message_type()->map_value()->type(), FieldDescriptor::TYPE_STRING)
          << field.full_name();
    } else if (cpp == FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::string& name = field.message_type()->full_name();
      const bool free = name == "google.protobuf.Struct" || name == "google.protobuf.ListValue" ||
                        name == "google.protobuf.Value";
      EXPECT_FALSE(free && field.is_repeated()) << field.full_name();
      if (free || name == "google.protobuf.Timestamp") continue;
      EXPECT_FALSE(name.starts_with("google.")) << field.full_name();
      CheckTypes(*field.message_type(), seen);
    }
  }
}

TEST(ApiReaderTest, TheApiHasNoOtherTypes) {
  const auto* const service =
      v1::ListJobsRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  std::set<const Descriptor*> seen;
  for (int i = 0; i < service->method_count(); ++i) {
    CheckTypes(*service->method(i)->input_type(), seen);
    CheckTypes(*service->method(i)->output_type(), seen);
  }
}

TEST(ApiWriterTest, WritesWhatWouldHaveToBeGuessed) {
  v1::ListJobsResponse page;
  v1::Job& job = *page.add_jobs();
  job.set_job_id("j1");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.mutable_create_time()->set_seconds(1796029200);
  const std::string json = ApiJson(page);
  EXPECT_THAT(json, HasSubstr(R"("nextPageToken":"")"));
  EXPECT_THAT(json, HasSubstr(R"("state":"JOB_STATE_RUNNING")"));
  EXPECT_THAT(json, HasSubstr(R"("createTime":"2026-11-30T09:00:00Z")"));
  EXPECT_THAT(json, HasSubstr(R"("revision":0)"));
  EXPECT_THAT(json, HasSubstr(R"("labels":{})"));
  EXPECT_THAT(json, testing::Not(HasSubstr("finishTime")));
  v1::ListJobsResponse again;
  EXPECT_EQ(WrongWith(json, again), "");
  EXPECT_EQ(again.SerializeAsString(), page.SerializeAsString());
}

}  // namespace
}  // namespace gateway::json
