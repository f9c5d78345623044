// Free values of a request: what would not be sent as it was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "pictory/bodies.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/translate.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// With these members in its storyboard.
v1::CreatePreviewRequest PreviewWith(const std::string& members) {
  return FromJson<v1::CreatePreviewRequest>(
      R"({"storyboard":{"videoName":"n","scenes":[{"story":"s"}],)" + members + "}}");
}

void ExpectOne(const google::protobuf::Message& request, const std::string& field,
               const std::string& description) {
  const auto found = Validate(request, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, field);
  EXPECT_THAT(found[0].description, HasSubstr(description));
}

TEST(FreeCheck, WholeNumbersBeyondADoubleAreRefusedWithAWayOut) {
  for (const char* fine :
       {"9007199254740991", "-9007199254740991", "0.1", "1e15", "4503599627370495.5"}) {
    EXPECT_THAT(Validate(PreviewWith(std::string(R"("webhookInput":{"a":)") + fine + "}"), {}),
                IsEmpty())
        << fine;
  }
  // The first of them has become 2^53 on its way, and nobody can tell.
  for (const char* too : {"9007199254740993", "9007199254740992", "-9007199254740992",
                          "18446744073709551615", "1e300"}) {
    ExpectOne(PreviewWith(std::string(R"("webhookInput":{"a":[{"b":)") + too + "}]}"),
              "storyboard.webhook_input.a[0].b", "storyboard_json");
  }
  v1::SummarizeRequest summarize;
  summarize.set_highlight_duration_seconds(1);
  summarize.mutable_transcript()->add_values()->set_number_value(1e17);
  ExpectOne(summarize, "transcript[0]", "transcript_json");
  v1::TranscribeRequest transcribe;
  transcribe.set_file_url("https://x.com/a");
  transcribe.mutable_transcript()
      ->add_values()
      ->mutable_list_value()
      ->add_values()
      ->set_number_value(-1e17);
  ExpectOne(transcribe, "transcript[0][0]", "transcript_json");
}

TEST(FreeCheck, WhatIsNoNumberOfJsonIsRefused) {
  for (const double odd :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    v1::CreatePreviewRequest request = PreviewWith(R"("saveProject":true)");
    auto& input = *request.mutable_storyboard()->mutable_webhook_input()->mutable_fields();
    input["deep"].mutable_struct_value()->mutable_fields()->insert({"er", {}});
    (*input["deep"].mutable_struct_value()->mutable_fields())["er"].set_number_value(odd);
    ExpectOne(request, "storyboard.webhook_input.deep.er", "finite");
  }
  v1::CreatePreviewRequest request = PreviewWith(R"("saveProject":true)");
  (*request.mutable_storyboard()->mutable_webhook_input()->mutable_fields())["k"];
  ExpectOne(request, "storyboard.webhook_input.k", "says nothing");
}

TEST(FreeCheck, ASpeakerIsATextOrANumber) {
  const auto with = [](const std::string& speaker) {
    return PreviewWith(R"("voiceOver":{"enabled":true,"aiVoices":[{"speaker":)" + speaker + "}]}");
  };
  for (const char* fine : {"\"Brian\"", "3108", "\"3108\""}) {
    EXPECT_THAT(Validate(with(fine), {}), IsEmpty()) << fine;
  }
  for (const char* odd : {"true", "[3108]", "{}", "null"}) {
    ExpectOne(with(odd), "storyboard.voice_over.ai_voices[0].speaker", "a text or a number");
  }
}

TEST(FreeCheck, ManyFaultsEndTheSearch) {
  v1::CreatePreviewRequest request = PreviewWith(R"("saveProject":true)");
  auto& scene = *request.mutable_storyboard()->mutable_scenes(0);
  for (int i = 0; i < 1'000; ++i)
    scene.mutable_background_brolls()->add_values()->set_number_value(1e20);
  EXPECT_THAT(Validate(request, {}), SizeIs(limits::kViolationsMax));
}

TEST(FreeCheck, AKeyIsShownClean) {
  v1::CreatePreviewRequest request = PreviewWith(R"("saveProject":true)");
  (*request.mutable_storyboard()->mutable_webhook_input()->mutable_fields())["a\x1b\nb"]
      .set_number_value(1e20);
  ExpectOne(request, "storyboard.webhook_input.a  b", "2^53");
}

}  // namespace
}  // namespace gateway::pictory
