#include "json/proto_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "json/check.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::HasSubstr;

TEST(ProtoWriter, WritesWhatIsSetAndNothingElse) {
  v1::Scene scene;
  EXPECT_EQ(*ToJson(scene), "{}");
  scene.set_story("");
  scene.set_hide_subtitles(false);
  scene.set_max_subtitle_lines(0);
  scene.set_minimum_duration(0);
  EXPECT_EQ(*ToJson(scene),
            R"({"story":"","maxSubtitleLines":0,"hideSubtitles":false,"minimumDuration":0})");
  v1::Segment segment;  // without presence
  EXPECT_EQ(*ToJson(segment), "{}");
  segment.set_end_seconds(1.5);
  EXPECT_EQ(*ToJson(segment), R"({"endSeconds":1.5})");
}

TEST(ProtoWriter, ControlPathAndBodyStayHere) {
  v1::RenderRequest request;
  request.set_request_id("r");
  (*request.mutable_labels())["a"] = "b";
  request.set_allow_unknown_fields(true);
  request.set_preview_job_id("p");
  EXPECT_EQ(*ToJson(request), "{}");
  request.set_extra_json(" { \"x\": 1.50 } ");
  EXPECT_EQ(*ToJson(request), "{\"x\": 1.50}");
  request.set_storyboard_json("{\"not\":\"written\"}");
  EXPECT_EQ(*ToJson(request), "{\"x\": 1.50}");
}

TEST(ProtoWriter, AllFormsOfATranscriptHaveOneKey) {
  v1::SummarizeRequest request;
  request.set_highlight_duration_seconds(60);
  request.mutable_typed_transcript()->add_sentences()->set_text("Hi");
  EXPECT_EQ(*ToJson(request), R"({"transcript":[{"text":"Hi"}],"highlight_duration":60})");
  request.mutable_typed_transcript()->clear_sentences();
  EXPECT_EQ(*ToJson(request), R"({"transcript":[],"highlight_duration":60})");
  request.set_transcript_json("[ 18446744073709551616 ]");
  EXPECT_EQ(*ToJson(request), R"({"transcript":[ 18446744073709551616 ],"highlight_duration":60})");
  request.mutable_transcript()->add_values()->set_number_value(0.5);
  EXPECT_EQ(*ToJson(request), R"({"highlight_duration":60,"transcript":[0.5]})");
  request.set_transcription_job_id("t");
  EXPECT_EQ(*ToJson(request), R"({"highlight_duration":60})");
}

TEST(ProtoWriter, AMessageOfItemsIsAnArray) {
  v1::Transcript transcript;
  EXPECT_EQ(*ToJson(transcript), "[]");
  transcript.add_sentences()->add_words()->set_start_time(0);
  transcript.add_sentences();
  EXPECT_EQ(*ToJson(transcript), R"([{"words":[{"start_time":0}]},{}])");
}

TEST(ProtoWriter, MapsAreSorted) {
  v1::Storyboard storyboard;
  for (const char* key : {"b", "a", "\"", "é", "B"}) (*storyboard.mutable_variables())[key] = key;
  EXPECT_EQ(*ToJson(storyboard), R"({"variables":{"\"":"\"","B":"B","a":"a","b":"b","é":"é"}})");
}

TEST(ProtoWriter, SaysWhatCannotBeWritten) {
  const auto fault = [](const google::protobuf::Message& message) {
    const auto text = ToJson(message);
    return std::string(text.status().message());
  };
  v1::Storyboard storyboard;
  storyboard.add_scenes();
  storyboard.add_scenes()->set_minimum_duration(std::nan(""));
  EXPECT_THAT(fault(storyboard), HasSubstr("scenes[1].minimum_duration: "));
  storyboard.Clear();
  storyboard.mutable_subtitle_style()->add_decorations("\xFF");
  EXPECT_THAT(fault(storyboard), HasSubstr("subtitle_style.decorations[0]: "));
  storyboard.Clear();
  auto& input = *storyboard.mutable_webhook_input()->mutable_fields();
  for (const double number : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    input["a"].mutable_list_value()->add_values()->set_number_value(number);
    EXPECT_THAT(fault(storyboard), HasSubstr("webhook_input: "));
    input.clear();
  }
  input["a"];
  EXPECT_THAT(fault(storyboard), HasSubstr("webhook_input: "));
  storyboard.Clear();
  storyboard.add_scenes()->mutable_voice_over()->add_ai_voices()->mutable_speaker();
  EXPECT_THAT(fault(storyboard), HasSubstr("scenes[0].voice_over.ai_voices[0].speaker: "));
  storyboard.Clear();
  storyboard.set_extra_json("[]");
  EXPECT_THAT(fault(storyboard), HasSubstr("extra_json: "));
  storyboard.Clear();
  (*storyboard.mutable_variables())["\xFF"] = "x";
  EXPECT_THAT(fault(storyboard), HasSubstr("variables: "));
}

}  // namespace
}  // namespace gateway::json
