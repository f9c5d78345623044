// Requests that are made to be dear: what they cost grows no faster than their bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <string>

#include "base/limits.h"
#include "pictory/translate.h"
#include "support/peak_memory.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Of this thread, so that what else runs does not count.
double CpuSeconds(const std::function<void()>& work) {
  const auto now = [] {
    std::timespec at{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
  };
  const double began = now();
  work();
  return now() - began;
}

// `{"<prefix>0":0,"<prefix>1":0,…}`
std::string Object(const std::string& prefix, std::size_t members) {
  std::string json = "{";
  for (std::size_t i = 0; i < members; ++i) {
    json += (i == 0 ? "\"" : ",\"") + prefix + std::to_string(100'000 + i) + "\":0";
  }
  return json + "}";
}

v1::RenderRequest TwoObjects(std::size_t members) {
  v1::RenderRequest request;
  std::string body = Object("a", members);
  body.insert(1, R"("videoName":"n","scenes":[],)");
  request.set_storyboard_json(body);
  request.set_extra_json(Object("b", members));
  request.set_allow_unknown_fields(true);
  return request;
}

TEST(LargeRequest, MembersOfTwoObjectsAreComparedInLinearTime) {
  const v1::RenderRequest few = TwoObjects(limits::kJsonMembersMax / 8);
  const v1::RenderRequest many = TwoObjects(limits::kJsonMembersMax - 2);
  EXPECT_THAT(Validate(many, {}), IsEmpty());
  const double seconds = CpuSeconds([&] {
    for (int i = 0; i < 4; ++i) Validate(few, {});
  });
  // Eight times the members: a comparison of each with each would take 64 times as long.
  EXPECT_LT(CpuSeconds([&] {
              for (int i = 0; i < 4; ++i) Validate(many, {});
            }),
            24 * seconds);
}

TEST(LargeRequest, AClashIsFoundAmongThousands) {
  v1::RenderRequest request = TwoObjects(limits::kJsonMembersMax - 2);
  request.set_extra_json(R"({"b":1,"a105000":2})");
  const auto found = Validate(request, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, "extra_json.a105000");
}

TEST(LargeRequest, AnObjectOfTooManyMembersIsRefusedWhereverItIs) {
  const std::string object = Object("a", limits::kJsonMembersMax + 1);
  const auto bound = std::to_string(limits::kJsonMembersMax);
  v1::RenderRequest render = TwoObjects(1);
  render.set_extra_json(R"({"deep":[)" + object + "]}");
  v1::TranscribeRequest transcribe;
  transcribe.set_file_url("https://x.com/a");
  transcribe.set_transcript_json("[" + object + "]");
  for (const auto& [found, field] : {std::pair(Validate(render, {}), "extra_json"),
                                     std::pair(Validate(transcribe, {}), "transcript_json")}) {
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].field, field);
    EXPECT_THAT(found[0].description, AllOf(HasSubstr("more than " + bound + " members")));
  }
}

// Every member is looked up, and the first of the unknown ones are named with their places, however
// far behind they stand.
TEST(LargeRequest, UnknownMembersAreFoundInLinearTime) {
  const auto preview = [](int scenes) {
    v1::CreatePreviewRequest request;
    std::string body = R"({"videoName":"n","scenes":[{})";
    for (int i = 0; i < scenes; ++i) body += R"(,{"story":"s","voiceOver":{"enabled":true}})";
    for (int i = 0; i < 60; ++i) body += R"(,{"voiceOver":{"aiVoices":[{"sped":1}]}})";
    request.set_storyboard_json(body + "]}");
    return request;
  };
  const v1::CreatePreviewRequest few = preview(1'000);
  const v1::CreatePreviewRequest many = preview(8'000);
  EXPECT_THAT(Validate(many, {}), SizeIs(limits::kViolationsMax));
  const double seconds = CpuSeconds([&] {
    for (int i = 0; i < 4; ++i) Validate(few, {});
  });
  EXPECT_LT(CpuSeconds([&] {
              for (int i = 0; i < 4; ++i) Validate(many, {});
            }),
            24 * seconds);
}

TEST(LargeRequest, AnArrayOfManyElementsIsCheckedInNoMemoryOfItsOwn) {
  if (!test::PeakMemory::kTellsOurs) GTEST_SKIP();
  v1::SummarizeRequest request;
  request.set_highlight_duration_seconds(1);
  std::string list = "[0";
  for (int i = 0; i < 500'000; ++i) list += ",0";
  request.set_transcript_json(list + "]");
  const test::PeakMemory peak;
  EXPECT_THAT(Validate(request, {}), IsEmpty());
  EXPECT_LT(peak.GrowthBytes(), 2 * list.size());
}

TEST(LargeRequest, AnEmptyArrayIsOneWhateverTheWhiteSpace) {
  v1::SummarizeRequest request;
  request.set_highlight_duration_seconds(1);
  for (const char* text : {"[]", " [ \n\t]\r\n"}) {
    request.set_transcript_json(text);
    EXPECT_THAT(Validate(request, {}), SizeIs(1));
  }
  request.set_transcript_json(" [ 0 ] ");
  EXPECT_THAT(Validate(request, {}), IsEmpty());
}

}  // namespace
}  // namespace gateway::pictory
