#include <gtest/gtest.h>

#include "base/errors.h"
#include "pictory/job_list.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

TEST(JobList, ReadsNamesStatusesAndKinds) {
  const auto list = ReadJobList(R"({"items":[
      {"success":true,"data":{"jobId":"a","status":"completed","videoURL":"https://x/a.mp4"}},
      {"success":true,"job_id":"b","data":{"status":"in-progress"}},
      {"success":true,"data":{"jobId":"c","renderParams":{"scenes":[]},"previewUrl":"https://p"}},
      {"success":true,"data":{"jobId":"d","transcript":[{"words":[{"word":"Hi"}]}]}},
      {"success":true,"data":{"jobId":"e","transcript":[{"words":[{"word":"Hi","highlight":true}]}]}}
    ],"nextPageKey":"a+b/c=="})");
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->jobs.size(), 5U);
  EXPECT_EQ(list->jobs[0].pictory_job_id, "a");
  EXPECT_EQ(list->jobs[0].status, "completed");
  EXPECT_EQ(list->jobs[0].shown_kind, v1::JOB_KIND_RENDER);
  EXPECT_EQ(list->jobs[1].pictory_job_id, "b");
  EXPECT_EQ(list->jobs[1].shown_kind, v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(list->jobs[2].shown_kind, v1::JOB_KIND_PREVIEW);
  EXPECT_EQ(list->jobs[3].shown_kind, v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(list->jobs[4].shown_kind, v1::JOB_KIND_SUMMARY);
  EXPECT_EQ(list->next_page_key, "a+b/c==");
}

TEST(JobList, EndsWithNullOrAbsentKey) {
  for (const char* body : {R"({"items":[],"nextPageKey":null})", R"({"items":[]})"}) {
    const auto list = ReadJobList(body);
    ASSERT_TRUE(list.ok());
    EXPECT_TRUE(list->jobs.empty());
    EXPECT_EQ(list->next_page_key, "");
  }
}

TEST(JobList, ItemsWithoutANameAreLeftOut) {
  const auto list =
      ReadJobList(R"({"items":[null,7,{"data":null},{"data":{"jobId":""}},{"jobId":"z"}]})");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->jobs.size(), 1U);
  EXPECT_EQ(list->jobs[0].pictory_job_id, "z");
}

TEST(JobList, HostileBodiesAreErrors) {
  for (const char* body : {"", "[]", "{", "{}", R"({"items":{}})", "<html>", "null"}) {
    const auto list = ReadJobList(body);
    EXPECT_EQ(list.status().code(), absl::StatusCode::kUnavailable) << body;
  }
}

}  // namespace
}  // namespace gateway::pictory
