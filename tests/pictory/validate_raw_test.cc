#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "pictory/translate.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<errors::Violation> Preview(const std::string& body, bool allow = false,
                                       v1::PathVersion version = v1::PATH_VERSION_V2) {
  v1::CreatePreviewRequest request;
  request.set_storyboard_json(body);
  request.set_allow_unknown_fields(allow);
  TranslateOptions options;
  options.versions[v1::JOB_KIND_PREVIEW] = version;
  return Validate(request, options);
}

std::vector<std::string> Fields(const std::vector<errors::Violation>& violations) {
  std::vector<std::string> fields;
  for (const auto& violation : violations) fields.push_back(violation.field);
  return fields;
}

std::vector<std::string> Render(const v1::RenderRequest& request) {
  return Fields(Validate(request, {}));
}

TEST(RawStoryboard, DocumentedBodiesPass) {
  EXPECT_THAT(
      Fields(Preview(
          R"({"videoName":"n","scenes":[{"story":"s","transcript":[{"anything":1}]}],"aspectRatio":"16:9"})")),
      IsEmpty());
  EXPECT_THAT(
      Fields(Preview(R"( {"videoName":"n","templateId":"t","variables":{},"saveProject":true} )")),
      IsEmpty());
  EXPECT_THAT(
      Fields(Preview(
          R"({"videoName":"n","videoDescription":"d","language":"en","brandLogo":{},"audio":{"autoBackgroundMusic":"true"},"scenes":[{"text":"t"}]})",
          false, v1::PATH_VERSION_V1)),
      IsEmpty());
}

TEST(RawStoryboard, NumbersOfAnyLengthAndSizeAreSentAsTheyAre) {
  for (const std::string& number :
       {std::string("0.1000000000000000055511151231257827021181583404541015625"),
        std::string("1e400"), std::string(400, '7')}) {
    v1::CreatePreviewRequest request;
    request.set_storyboard_json(R"({"videoName":"n","scenes":[{"minimumDuration":)" + number +
                                "}]}");
    EXPECT_THAT(Fields(Validate(request, {})), IsEmpty()) << number;
    const auto submission = Translate(request, "", "", {}, "");
    ASSERT_TRUE(submission.ok()) << submission.status();
    EXPECT_EQ(*submission->body, request.storyboard_json());
    // Beside it the rules hold.
    EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{"a":)" + number + R"(,"a":1}]})")),
                ElementsAre("storyboard_json"));
    EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{"a":)" + number + "}]}")),
                ElementsAre("storyboard_json.scenes[0].a"));
  }
}

TEST(RawStoryboard, EveryDocumentedMemberOfAV1BodyPasses) {
  const std::string body =
      R"({"videoName":"n","videoDescription":"d","language":"en","videoWidth":1920,"videoHeight":"1080",)"
      R"("autoHighlightKeywords":false,"brandLogo":{"url":"https://x.com/l.png"},"textStyles":{"fontSize":"32"},)"
      R"("audio":{"autoBackgroundMusic":"true","backGroundMusicVolume":0.1,"aiVoiceOver":{"speaker":"Jackson",)"
      R"("speed":"100","amplifyLevel":"1"}},"voiceOver":true,"splitTextOnNewLine":true,"splitTextOnPeriod":true,)"
      R"("scenes":[{"text":"t","voiceOver":true},{"article_url":"https://x.com"}]})";
  EXPECT_THAT(Fields(Preview(body, false, v1::PATH_VERSION_V1)), IsEmpty());
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{}],"webhook":"https://x.com"})", false,
                             v1::PATH_VERSION_V1)),
              ElementsAre("storyboard_json.webhook"));
  const auto misspelt =
      Preview(R"({"videoName":"n","scenes":[{}],"textStyle":{},"aspectRatio":"1:1"})", false,
              v1::PATH_VERSION_V1);
  ASSERT_THAT(Fields(misspelt),
              ElementsAre("storyboard_json.textStyle", "storyboard_json.aspectRatio"));
  EXPECT_THAT(misspelt[0].description, HasSubstr("did you mean textStyles?"));
  EXPECT_THAT(misspelt[1].description, HasSubstr("v2 body"));
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","templateId":"t"})", true, v1::PATH_VERSION_V1)),
              ElementsAre("storyboard_json.scenes"));
}

TEST(RawStoryboard, MisspeltKeysAreNamedWithWhatWasMeant) {
  const auto violations =
      Preview(R"({"video_name":"n","scene":[],"zzzzzz":1,"brandLogo":{},"templateId":"t"})");
  ASSERT_THAT(Fields(violations),
              ElementsAre("storyboard_json.video_name", "storyboard_json.scene",
                          "storyboard_json.zzzzzz", "storyboard_json.brandLogo"));
  EXPECT_THAT(violations[0].description, HasSubstr("did you mean videoName?"));
  EXPECT_THAT(violations[1].description, HasSubstr("did you mean scenes?"));
  EXPECT_THAT(violations[2].description, ::testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(violations[3].description, HasSubstr("v1 body"));
}

TEST(RawStoryboard, MisspeltKeysAreFoundAtEveryDepth) {
  const std::string body =
      R"({"videoName":"demo","voiceOver":{"enabled":true,"aiVoices":[{"speaker":"Brian","sped":150}]},)"
      R"("scenes":[{"story":"Hello there.","createSceneOnNewLin":true,"minimumDuratio":3,)"
      R"("backgrond":{"type":"image","tpe":1}}]})";
  const auto violations = Preview(body);
  ASSERT_THAT(Fields(violations), ElementsAre("storyboard_json.voiceOver.aiVoices[0].sped",
                                              "storyboard_json.scenes[0].createSceneOnNewLin",
                                              "storyboard_json.scenes[0].minimumDuratio",
                                              "storyboard_json.scenes[0].backgrond"));
  EXPECT_THAT(violations[0].description, HasSubstr("did you mean speed?"));
  EXPECT_THAT(violations[3].description, HasSubstr("did you mean background?"));
  EXPECT_THAT(violations[3].description, HasSubstr("allow_unknown_fields"));
  v1::RenderRequest render;
  render.set_storyboard_json(body);
  EXPECT_EQ(Render(render).size(), 4u);
  EXPECT_THAT(Fields(Preview(body, true)), IsEmpty());
  render.set_allow_unknown_fields(true);
  EXPECT_THAT(Render(render), IsEmpty());
}

TEST(RawStoryboard, AKeyIsShownAsAMessageMayShowIt) {
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{"a\u001b[2Jb\n":1}]})")),
              ElementsAre(::testing::AllOf(::testing::StartsWith("storyboard_json.scenes[0].a"),
                                           ::testing::Not(HasSubstr("\x1b")),
                                           ::testing::Not(HasSubstr("\n")))));
}

TEST(RawStoryboard, OfThousandsOfUnknownKeysAFewAreNamed) {
  std::string scenes = "[{}";
  for (int i = 0; i < 5000; ++i) scenes += R"(,{"stori":1})";
  EXPECT_EQ(Preview(R"({"videoName":"n","scenes":)" + scenes + "]}").size(),
            limits::kViolationsMax);
}

TEST(RawTemplate, OnlyWhatLooksLikeAnotherMemberIsRefused) {
  v1::CreatePreviewRequest request;
  const auto preview = [&](const std::string& body) {
    request.set_from_template_json(body);
    return Validate(request, {});
  };
  EXPECT_THAT(preview(R"({"templateId":"t","audio":{"volum":1},"voiceOver":{}})"), IsEmpty());
  EXPECT_THAT(preview(R"({"templateId":"t","variables":{},"variabels":{}})"), IsEmpty());
  const auto misspelt = preview(R"({"templateID":"t","variabels":{"a":"b"},"Scenes":[]})");
  ASSERT_THAT(Fields(misspelt),
              ElementsAre("from_template_json.templateID", "from_template_json.variabels",
                          "from_template_json.Scenes"));
  EXPECT_THAT(misspelt[1].description, HasSubstr("did you mean variables?"));
  request.set_allow_unknown_fields(true);
  EXPECT_THAT(preview(R"({"templateId":"t","variabels":{}})"), IsEmpty());
}

TEST(RawStoryboard, AllowUnknownFieldsSendsThem) {
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{}],"zzzzzz":1})", true)), IsEmpty());
}

TEST(RawStoryboard, WebhookIsOursEvenThen) {
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{}],"webhook":"https://x.com"})", true)),
              ElementsAre("storyboard_json.webhook"));
  EXPECT_THAT(Fields(Preview(R"({"videoName":"n","scenes":[{}],"webh\u006fok":null})")),
              ElementsAre("storyboard_json.webhook"));
}

TEST(RawStoryboard, RequiredAndExclusiveMembers) {
  EXPECT_THAT(Fields(Preview("{}")),
              ElementsAre("storyboard_json.videoName", "storyboard_json.scenes"));
  EXPECT_THAT(Fields(Preview(R"({"videoName":null,"scenes":{}})")),
              ElementsAre("storyboard_json.videoName", "storyboard_json.scenes"));
  EXPECT_THAT(Fields(Preview(
                  R"({"videoName":"n","scenes":[],"brandId":"a","brandName":"b","videoWidth":1})")),
              ElementsAre("storyboard_json.brandName", "storyboard_json.videoHeight"));
}

TEST(RawStoryboard, BrokenOrOfTheWrongShape) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("null"), std::string("7"), std::string("{"),
        std::string("{}{}"), std::string(R"({"a":1,"a":2})"), std::string("{\"a\":\"\xff\"}"),
        std::string("{}\0", 3), std::string(R"({"a":01})"), std::string("{'a':1}"),
        std::string(200, '[')}) {
    EXPECT_THAT(Fields(Preview(body)), ElementsAre("storyboard_json")) << body;
  }
}

TEST(RawRenderParams, LenientToContentStrictToWrapping) {
  v1::RenderRequest request;
  request.set_render_params_json(
      R"({"audio":{},"output":{},"scenes":[],"next_generation_video":true,"whatever":1})");
  EXPECT_THAT(Render(request), IsEmpty());
  request.set_render_params_json(R"({"renderParams":{"audio":{}}})");
  const auto wrapped = Validate(request, {});
  ASSERT_THAT(Fields(wrapped), ElementsAre("render_params_json"));
  EXPECT_THAT(wrapped[0].description, HasSubstr("content of renderParams"));
  request.set_render_params_json(R"({"success":true,"data":{"renderParams":{}}})");
  EXPECT_THAT(Render(request), ElementsAre("render_params_json"));
  request.set_render_params_json(R"({"output":{},"webhook":"https://x.com"})");
  EXPECT_THAT(Render(request), ElementsAre("render_params_json.webhook"));
  request.set_render_params_json("{}");
  EXPECT_THAT(Render(request), ElementsAre("render_params_json"));
  request.set_render_params_json("[]");
  EXPECT_THAT(Render(request), ElementsAre("render_params_json"));
}

TEST(ExtraJson, AddsButNeverRedefines) {
  v1::RenderRequest request;
  request.set_preview_job_id("p");
  request.set_extra_json(R"({"videoName":"x"})");
  EXPECT_THAT(Render(request), IsEmpty());
  request.set_extra_json(R"({"webhook":"https://x.com"})");
  EXPECT_THAT(Render(request), ElementsAre("extra_json.webhook"));
  request.set_extra_json("[1]");
  EXPECT_THAT(Render(request), ElementsAre("extra_json"));
  request.set_extra_json("{");
  EXPECT_THAT(Render(request), ElementsAre("extra_json"));

  request.set_render_params_json(R"({"output":{},"audio":{}})");
  request.set_extra_json(R"({"output":{},"x":1})");
  EXPECT_THAT(Render(request), ElementsAre("extra_json.output"));

  request.mutable_storyboard()->set_video_name("n");
  request.mutable_storyboard()->add_scenes()->set_story("s");
  request.mutable_storyboard()->set_extra_json(R"({"a":1,"brandId":"b","webhook":1})");
  request.set_extra_json(R"({"a":2,"videoName":"x","b":1})");
  EXPECT_THAT(Render(request),
              UnorderedElementsAre("storyboard.extra_json.brandId", "storyboard.extra_json.webhook",
                                   "extra_json.a", "extra_json.videoName"));
}

TEST(ExtraJson, InsideAScene) {
  v1::CreatePreviewRequest request;
  request.mutable_storyboard()->set_video_name("n");
  v1::Scene* scene = request.mutable_storyboard()->add_scenes();
  scene->set_story("s");
  scene->set_extra_json(R"({"caption":"c","brandNew":1,"webhook":1})");
  EXPECT_THAT(Fields(Validate(request, {})),
              ElementsAre("storyboard.scenes[0].extra_json.caption"));
}

TEST(RawValues, TranscriptsAreArrays) {
  v1::SummarizeRequest summarize;
  summarize.set_highlight_duration_seconds(60);
  summarize.set_transcript_json(R"([{"words":[]}])");
  EXPECT_THAT(Fields(Validate(summarize, {})), IsEmpty());
  summarize.set_transcript_json("[]");
  EXPECT_THAT(Fields(Validate(summarize, {})), ElementsAre("transcript_json"));
  summarize.set_transcript_json(R"({"transcript":[{}]})");
  const auto wrapped = Validate(summarize, {});
  ASSERT_THAT(Fields(wrapped), ElementsAre("transcript_json"));
  EXPECT_THAT(wrapped[0].description, HasSubstr("`transcript`"));

  v1::TranscribeRequest transcribe;
  transcribe.set_file_url("https://x.com/a");
  transcribe.set_transcript_json("{}");
  transcribe.set_extra_json(R"({"language":"en","fileUrl":1,"odd":1})");
  EXPECT_THAT(Fields(Validate(transcribe, {})),
              UnorderedElementsAre("transcript_json", "extra_json.language", "extra_json.fileUrl"));
}

// A job's RENDER_PARAMS_JSON is Pictory's own text, byte for byte; sent back, it is no mistake of
// the caller's.
TEST(RawRenderParams, WhatTheGatewayGaveIsTakenBack) {
  for (const char* odd :
       {R"("\ud83c")", R"("\udf0d!")", R"({"a":1,"a":2})", "1e400", "NaN", "\"\xff\""}) {
    const std::string params = std::string(R"({"output":{},"scenes":[{"title":)") + odd + "}]}";
    v1::RenderRequest request;
    request.set_render_params_json(params);
    EXPECT_THAT(Render(request), IsEmpty()) << params;
    const auto submission = Translate(request, "", "https://hooks.example/t", {});
    ASSERT_TRUE(submission.ok()) << submission.status();
    EXPECT_THAT(*submission->body, HasSubstr(params.substr(0, params.size() - 1)));
  }
}

TEST(RawRenderParams, AWebhookInThemIsFoundHoweverItIsWritten) {
  for (const char* text : {R"({"webhook":"x","output":{},"scenes":[],"webhook":"y"})",
                           R"({"a":"\ud83c","output":{},"scenes":[],"webhook":"y"})"}) {
    v1::RenderRequest request;
    request.set_render_params_json(text);
    EXPECT_THAT(Render(request), ElementsAre("render_params_json.webhook")) << text;
  }
}

}  // namespace
}  // namespace gateway::pictory
