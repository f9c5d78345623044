#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "google/protobuf/unknown_field_set.h"
#include "pictory/from_text.h"
#include "pictory/translate.h"
#include "pictory/violations.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Fields(const google::protobuf::Message& request,
                                const TranslateOptions& options = {}) {
  std::vector<std::string> fields;
  for (const errors::Violation& violation : Validate(request, options)) {
    EXPECT_FALSE(violation.description.empty());
    fields.push_back(violation.field);
  }
  return fields;
}

// Violations of a storyboard that is fine but for `text`, and of a scene.
std::vector<std::string> Board(const std::string& text) {
  return Fields(Parse<v1::CreatePreviewRequest>(
      R"(storyboard { video_name: "n" scenes { story: "s" } )" + text + "}"));
}
std::vector<std::string> InScene(const std::string& text) {
  return Fields(
      Parse<v1::CreatePreviewRequest>(R"(storyboard { video_name: "n" scenes { )" + text + "} }"));
}

TEST(Validate, GoodRequestsPass) {
  EXPECT_THAT(Board(""), IsEmpty());
  EXPECT_THAT(
      Board(
          R"(brand_id: "b" video_width: 2 video_height: 2 avatar { avatar_id: "a" position: "top-left" }
                       voice_over { enabled: true ai_voices { speaker { string_value: "J" } speed: 200 amplification_level: -1 } }
                       background_music { music_url: "https://x.com/m.mp3" volume: 0 })"),
      IsEmpty());
  EXPECT_THAT(
      Fields(Parse<v1::CreatePreviewRequest>(R"(storyboard { video_name: "n" template_id: "t" })")),
      IsEmpty());
  EXPECT_THAT(InScene(R"(background { color: "#fff" })"), IsEmpty());
  EXPECT_THAT(InScene(R"(video_url: "https://x.com/a" audio_language: "en-US")"), IsEmpty());
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(preview_job_id: "53g4-x/...?")")), IsEmpty());
  EXPECT_THAT(
      Fields(Parse<v1::TranscribeRequest>(R"(file_url: "https://x.com/a.mp4" language: "en-US")")),
      IsEmpty());
  EXPECT_THAT(Fields(Parse<v1::SummarizeRequest>(
                  R"(transcription_job_id: "t" highlight_duration_seconds: 1 language: "en")")),
              IsEmpty());
}

TEST(Validate, EverythingWrongIsToldAtOnce) {
  const auto fields = Fields(Parse<v1::CreatePreviewRequest>(
      R"(request_id: "no good" storyboard { webhook: "https://x.com" video_width: 1 scenes {} })"));
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre(
                          "request_id", "storyboard.video_name", "storyboard.webhook",
                          "storyboard.video_height", "storyboard.scenes[0]"));
}

TEST(Validate, AWebhookIsTheGatewaysOwnInEveryBody) {
  const auto expect = [](const google::protobuf::Message& request, const std::string& field) {
    const auto found = Validate(request, {});
    ASSERT_EQ(found.size(), 1U) << request.ShortDebugString();
    EXPECT_EQ(found[0].field, field);
    EXPECT_THAT(found[0].description, HasSubstr("remove it, and watch the job instead"));
  };
  const std::string webhook = R"( webhook: "https://example.com/hook" )";
  expect(Parse<v1::CreatePreviewRequest>("storyboard { video_name: \"n\" template_id: \"t\"" +
                                         webhook + "}"),
         "storyboard.webhook");
  expect(Parse<v1::CreatePreviewRequest>("from_template { template_id: \"t\"" + webhook + "}"),
         "from_template.webhook");
  expect(Parse<v1::TranscribeRequest>("file_url: \"https://x.com/a.mp4\"" + webhook), "webhook");
  expect(Parse<v1::SummarizeRequest>("transcription_job_id: \"t\"" + webhook), "webhook");
  expect(Parse<v1::GenerateImageRequest>("prompt: \"a calm sea\"" + webhook), "webhook");
  expect(Parse<v1::GenerateVideoRequest>("prompt: \"a calm sea\"" + webhook), "webhook");
}

TEST(Validate, WhatChangesATemplatesSceneNeedsTheTemplate) {
  const std::string scene = R"(scenes { scene_id: "s" subtitles {} background_visual {} })";
  const auto with = [&](const std::string& more) {
    return Fields(
        Parse<v1::CreatePreviewRequest>("storyboard { video_name: \"n\" " + more + scene + "}"));
  };
  EXPECT_THAT(with("template_id: \"t\" "), IsEmpty());
  EXPECT_THAT(with(""), ::testing::UnorderedElementsAre("storyboard.scenes[0]",
                                                        "storyboard.scenes[0].scene_id",
                                                        "storyboard.scenes[0].subtitles",
                                                        "storyboard.scenes[0].background_visual"));
}

TEST(Validate, ASourceIsRequired) {
  EXPECT_THAT(Fields(v1::CreatePreviewRequest()), ElementsAre("source"));
  EXPECT_THAT(Fields(v1::RenderRequest()), ElementsAre("source"));
  EXPECT_THAT(Fields(v1::TranscribeRequest()), ElementsAre("file_url"));
  EXPECT_THAT(Fields(v1::SummarizeRequest()), ElementsAre("source", "highlight_duration_seconds"));
  EXPECT_THAT(Fields(Parse<v1::SummarizeRequest>(R"(transcription_job_id: "t")")), IsEmpty())
      << "Pictory picks a length";
  EXPECT_THAT(Fields(v1::GetJobRequest()), ElementsAre(""));
}

TEST(Validate, AnArmThatTheVersionLacksIsNamed) {
  TranslateOptions options;
  options.versions[v1::JOB_KIND_PREVIEW] = v1::PATH_VERSION_V1;
  options.versions[v1::JOB_KIND_SUMMARY] = v1::PATH_VERSION_V1;
  const auto violations = Validate(
      Parse<v1::CreatePreviewRequest>(R"(storyboard { video_name: "n" scenes { story: "s" } })"),
      options);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "storyboard");
  EXPECT_NE(violations[0].description.find("storyboard_json"), std::string::npos);
  EXPECT_THAT(Fields(Parse<v1::SummarizeRequest>(
                         R"(transcription_job_id: "t" highlight_duration_seconds: 9)"),
                     options),
              IsEmpty());
  options.versions[v1::JOB_KIND_RENDER] = v1::PATH_VERSION_V1;
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(project_id: "1")"), options),
              ElementsAre("project_id"));
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(render_params_json: "{\"audio\":{}}")"), options),
              IsEmpty());
}

TEST(Validate, RequestIdAndLabels) {
  v1::TranscribeRequest request = Parse<v1::TranscribeRequest>(R"(file_url: "https://x.com/a")");
  request.set_request_id(std::string(64, 'a'));
  (*request.mutable_labels())[std::string(63, 'k')] = std::string(255, 'v');
  EXPECT_THAT(Fields(request), IsEmpty());
  request.set_request_id(std::string(65, 'a'));
  EXPECT_THAT(Fields(request), ElementsAre("request_id"));
  request.clear_request_id();
  (*request.mutable_labels())[""] = "v";
  EXPECT_THAT(Fields(request), ElementsAre("labels[]"));
}

TEST(Validate, UnknownFieldNumbersAnywhereWithTheirPath) {
  auto request = Parse<v1::CreatePreviewRequest>(
      R"(storyboard { video_name: "n" scenes { story: "s" } scenes { story: "t" background { color: "red" settings {} } } })");
  v1::Scene& scene = *request.mutable_storyboard()->mutable_scenes(1);
  auto* settings = scene.mutable_background()->mutable_settings();
  settings->GetReflection()->MutableUnknownFields(settings)->AddVarint(77, 1);
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(99, "x");
  EXPECT_THAT(Fields(request), ElementsAre("99", "storyboard.scenes[1].background.settings.77"));
}

TEST(Validate, ListsAreCappedWhateverComes) {
  v1::TranscribeRequest request = Parse<v1::TranscribeRequest>(R"(file_url: "https://x.com/a")");
  auto* unknown = request.GetReflection()->MutableUnknownFields(&request);
  for (int i = 0; i < 10'000; ++i) unknown->AddVarint(1000 + i, 1);
  EXPECT_EQ(Fields(request).size(), limits::kViolationsMax);
}

TEST(Validate, NumbersMustBeFinite) {
  v1::SummarizeRequest request = Parse<v1::SummarizeRequest>(
      R"(transcription_job_id: "t" highlight_duration_seconds: 9 duration_seconds: nan)");
  EXPECT_THAT(Fields(request), ElementsAre("duration_seconds"));
  EXPECT_THAT(InScene(R"(story: "s" minimum_duration: inf)"),
              ElementsAre("storyboard.scenes[0].minimum_duration"));
}

TEST(Validate, UrlsWhereverTheyAre) {
  EXPECT_THAT(Fields(Parse<v1::TranscribeRequest>(R"(file_url: "http://x.com/a")")),
              ElementsAre("file_url"));
  EXPECT_THAT(Board(R"(logo { url: "https://127.0.0.1/l.png" })"),
              ElementsAre("storyboard.logo.url"));
  EXPECT_THAT(
      InScene(
          R"(story: "s" background { type: "image" ai_visual { reference_image_urls: "https://x.com/a"
                         reference_image_urls: "https://u@x.com/" } })"),
      ElementsAre("storyboard.scenes[0].background.ai_visual.reference_image_urls[1]"));
  EXPECT_THAT(InScene(R"(blog_url: "")"), ElementsAre("storyboard.scenes[0].blog_url"));
  TranslateOptions sandbox;
  sandbox.allow_loopback_urls = true;
  EXPECT_THAT(Fields(Parse<v1::TranscribeRequest>(R"(file_url: "http://127.0.0.1:8/a")"), sandbox),
              IsEmpty());
}

TEST(Validate, VideoName) {
  const auto named = [](const std::string& name) {
    v1::CreatePreviewRequest request;
    request.mutable_storyboard()->set_video_name(name);
    request.mutable_storyboard()->add_scenes()->set_story("s");
    return Fields(request);
  };
  EXPECT_THAT(named("My video_1-a Größe"), IsEmpty());
  EXPECT_THAT(named("a/b"), ElementsAre("storyboard.video_name"));
  EXPECT_THAT(named(std::string(150, 'a')), IsEmpty());
  EXPECT_THAT(named(std::string(151, 'a')), ElementsAre("storyboard.video_name"));
}

TEST(Validate, ExclusivePairsOfTheStoryboard) {
  EXPECT_THAT(Board(R"(brand_id: "a" brand_name: "b")"), ElementsAre("storyboard"));
  EXPECT_THAT(Board(R"(subtitle_style_id: "a" subtitle_style_name: "b")"),
              ElementsAre("storyboard"));
  EXPECT_THAT(Board(R"(smart_layout_id: "a" smart_layout_name: "b")"), ElementsAre("storyboard"));
  EXPECT_THAT(Board("video_height: 5"), ElementsAre("storyboard.video_width"));
  EXPECT_THAT(Board(R"(background_music { auto_music: true music_url: "https://x.com/a" })"),
              ElementsAre("storyboard.background_music"));
  EXPECT_THAT(
      Board(R"(voice_over { ai_voices {} external_voice { voice_url: "https://x.com/a" } })"),
      ElementsAre("storyboard.voice_over"));
  EXPECT_THAT(Board(R"(voice_over { enabled: true } avatar { position: "a" top: "1%" })"),
              ElementsAre("storyboard.avatar.position"));
}

TEST(Validate, PromptsOfAiStudio) {
  v1::GenerateVideoRequest request;
  EXPECT_THAT(Fields(request), ElementsAre("prompt"));
  request.set_prompt("four");
  EXPECT_THAT(Fields(request), ElementsAre("prompt"));
  request.set_prompt("größe");  // five characters, in seven bytes
  EXPECT_THAT(Fields(request), IsEmpty());
  request.set_prompt(std::string(5001, 'a'));
  EXPECT_THAT(Fields(request), ElementsAre("prompt"));
  request.set_prompt("a lake");
  request.set_first_frame_image_url("https://x.com/a.png");
  EXPECT_THAT(Fields(request), IsEmpty());
  request.add_reference_image_urls("http://x.com/a.png");
  EXPECT_THAT(Fields(request), ElementsAre("reference_image_urls", "reference_image_urls[0]"));
}

TEST(Validate, AvatarNeedsAVoice) {
  EXPECT_THAT(Board(R"(avatar { avatar_id: "a" })"), ElementsAre("storyboard.avatar"));
  EXPECT_THAT(Board(R"(avatar { avatar_id: "a" } voice_over { enabled: false })"),
              ElementsAre("storyboard.avatar"));
  EXPECT_THAT(InScene(R"(story: "s" avatar { avatar_id: "a" })"),
              ElementsAre("storyboard.scenes[0].avatar.avatar_id"));
}

TEST(Validate, ScenesHaveOneSource) {
  EXPECT_THAT(InScene(R"(story: "s" blog_url: "https://x.com")"),
              ElementsAre("storyboard.scenes[0]"));
  EXPECT_THAT(InScene(""), ElementsAre("storyboard.scenes[0]"));
  EXPECT_THAT(InScene(R"(extra_json: "{\"newSource\":1}")"), IsEmpty());
  EXPECT_THAT(InScene(R"(audio_url: "https://x.com/a")"),
              ElementsAre("storyboard.scenes[0].audio_language"));
}

TEST(Validate, SceneRules) {
  EXPECT_THAT(InScene(R"(ppt_url: "https://x.com" caption: "c")"),
              ElementsAre("storyboard.scenes[0].caption"));
  EXPECT_THAT(InScene(R"(story: "s" caption: "c" create_scene_on_new_line: true)"),
              ElementsAre("storyboard.scenes[0].caption"));
  EXPECT_THAT(InScene(R"(story: "s" caption: "c" create_scene_on_new_line: false)"), IsEmpty());
  EXPECT_THAT(InScene(R"(story: "s" max_subtitle_lines: 5)"),
              ElementsAre("storyboard.scenes[0].max_subtitle_lines"));
  EXPECT_THAT(InScene(R"(story: "s" background_music { enabled: true volume: 1 })"),
              ElementsAre("storyboard.scenes[0].background_music"));
  EXPECT_THAT(
      Fields(Parse<v1::CreatePreviewRequest>(
          R"(storyboard { video_name: "n" smart_layout_id: "l" scenes { story: "s" max_subtitle_lines: 2 } })")),
      ElementsAre("storyboard.scenes[0].max_subtitle_lines"));
  EXPECT_THAT(InScene(R"(story_co_pilot { duration: 601 })"),
              ElementsAre("storyboard.scenes[0].story_co_pilot.duration"));
}

TEST(Validate, SizesAreInCharacters) {
  const auto story = [](std::size_t count, const char* letter) {
    v1::CreatePreviewRequest request;
    request.mutable_storyboard()->set_video_name("n");
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += letter;
    request.mutable_storyboard()->add_scenes()->set_story(text);
    return Fields(request);
  };
  EXPECT_THAT(story(15'000, "ä"), IsEmpty());
  EXPECT_THAT(story(15'001, "a"), ElementsAre("storyboard.scenes[0].story"));
}

TEST(Validate, Backgrounds) {
  const std::string at = "storyboard.scenes[0].background";
  EXPECT_THAT(InScene(R"(background { color: "red" visual_url: "https://x.com/a" })"),
              ElementsAre(at));
  EXPECT_THAT(InScene(R"(background { ai_visual { prompt: "p" } })"), ElementsAre(at + ".type"));
  EXPECT_THAT(InScene(R"(background { color: "red" clips { start: 1 } })"),
              ElementsAre(at + ".clips"));
  EXPECT_THAT(
      InScene(R"(background { visual_url: "https://x.com/a" type: "video" clips { start: 1 } })"),
      IsEmpty());
  EXPECT_THAT(InScene(R"(background { color: "red" color_overlay { opacity: 1.1 } })"),
              ElementsAre(at + ".color_overlay.opacity"));
  EXPECT_THAT(
      InScene(
          R"(background { color: "red" settings { zoom_and_pan: true ken_burns_effect: true } })"),
      ElementsAre(at + ".settings.ken_burns_effect"));
  EXPECT_THAT(InScene(R"(background { search_filter { keywords: "a" keywords: "ok" } })"),
              ElementsAre(at + ".search_filter.keywords[0]"));
  EXPECT_THAT(
      InScene(R"(background { type: "image" ai_visual { first_frame_image_url: "https://x.com/a"
                         reference_image_urls: "https://x.com/b" } })"),
      ElementsAre(at + ".ai_visual"));
}

TEST(Validate, StylesVoicesAndElements) {
  EXPECT_THAT(Board("subtitle_style { font_size: 0 }"),
              ElementsAre("storyboard.subtitle_style.font_size"));
  EXPECT_THAT(Board("subtitle_style { animations {} animations {} animations {} }"),
              ElementsAre("storyboard.subtitle_style.animations"));
  EXPECT_THAT(
      Board("voice_over { ai_voices { speed: 49 } ai_voices { amplification_level: 1.5 } }"),
      ElementsAre("storyboard.voice_over.ai_voices[0].speed",
                  "storyboard.voice_over.ai_voices[1].amplification_level"));
  EXPECT_THAT(Board("background_music { volume: 1.5 }"),
              ElementsAre("storyboard.background_music.volume"));
  EXPECT_THAT(InScene(R"(story: "s" elements { type: "text" position: "a" left: "1%" })"),
              ElementsAre("storyboard.scenes[0].elements[0].position"));
  std::string many = R"(story: "s" )";
  for (int i = 0; i < 21; ++i) many += "elements { type: \"shape\" } ";
  EXPECT_THAT(InScene(many), ElementsAre("storyboard.scenes[0].elements"));
}

TEST(Validate, OnlyAJobCanBeWaitedFor) {
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(preview_job_id: "p" wait_for_preview: true)")),
              IsEmpty());
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(project_id: "p" wait_for_preview: true)")),
              ElementsAre("wait_for_preview"));
  EXPECT_THAT(
      Fields(Parse<v1::SummarizeRequest>(
          R"(transcript_json: "[{}]" highlight_duration_seconds: 1 wait_for_transcription: true)")),
      ElementsAre("wait_for_transcription"));
}

TEST(Validate, RenderAndSummaryIds) {
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(preview_job_id: "")")),
              ElementsAre("preview_job_id"));
  EXPECT_THAT(Fields(Parse<v1::RenderRequest>(R"(preview_job_id: "a\nb")")),
              ElementsAre("preview_job_id"));
  v1::RenderRequest render;
  render.set_project_id(std::string(257, 'a'));
  EXPECT_THAT(Fields(render), ElementsAre("project_id"));
  EXPECT_THAT(
      Fields(Parse<v1::SummarizeRequest>(R"(typed_transcript {} highlight_duration_seconds: 5)")),
      ElementsAre("typed_transcript.sentences"));
  EXPECT_THAT(Fields(Parse<v1::SummarizeRequest>(R"(transcript {} highlight_duration_seconds: 5)")),
              ElementsAre("transcript"));
  EXPECT_THAT(Fields(Parse<v1::SummarizeRequest>(
                  R"(transcription_job_id: "t" highlight_duration_seconds: -1 language: "en-US")")),
              ElementsAre("highlight_duration_seconds", "language"));
  v1::SummarizeRequest summarize;
  summarize.set_transcription_job_id("t");
  summarize.set_highlight_duration_seconds(-5);
  ASSERT_THAT(Fields(summarize), ElementsAre("highlight_duration_seconds"));
  EXPECT_THAT(Validate(summarize, {})[0].description, testing::StartsWith("must be at least 1"));
}

}  // namespace
}  // namespace gateway::pictory
