// The older generation of calls, and how it keeps apart from the newer one.

#include <gmock/gmock.h>

#include "sandbox/render_params_v1.h"
#include "sandbox/rig.h"
#include "sandbox/storyboard_v1.h"

namespace gateway::sandbox {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kStory[] =
    R"({"videoName":"Bread","videoDescription":"about bread","language":"en","videoWidth":"1280",
        "videoHeight":720,"webhook":null,"brandLogo":{"url":"https://files.test/logo.png"},
        "audio":{"autoBackgroundMusic":"true","backGroundMusicVolume":0.5,
                 "aiVoiceOver":{"speaker":"Jackson","speed":"100","amplifyLevel":"1"}},
        "scenes":[{"text":"Fermentation makes bread < cake & 'more'. So wait for it.",
                   "splitTextOnPeriod":"true","subtitle":true},
                  {"backgroundUri":"https://files.test/own.png","backgroundType":"image",
                   "minimumDuration":7.5}]})";

class V1Test : public Rig {
 protected:
  void SetUp() override { Start(); }
  // v1 preview, finished.
  std::string Preview(const std::string& body = kStory) {
    const JsonReply reply = Api("POST", "/v1/video/storyboard", body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    clock_.Advance(2);
    return reply.TextAt("jobId");
  }
  std::string Render(const std::string& method, const std::string& path, const std::string& body) {
    const JsonReply reply = Api(method, path, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_FALSE(reply.Has("jobId"));
    EXPECT_FALSE(reply.Has("data.jobId"));
    clock_.Advance(8);
    return reply.TextAt("data.job_id");
  }
  std::string RenderParamsOf(const std::string& preview) {
    const std::string body = Job(preview).body;
    const std::size_t begin = body.find(R"({"audio")"), end = body.find(R"(,"preview":)");
    return body.substr(begin, end - begin);
  }
};

std::string StoryOf(const std::string& text, int scenes) {
  std::string body = R"({"videoName":"n","splitTextOnPeriod":true,"scenes":[)";
  for (int i = 0; i < scenes; ++i) body += (i == 0 ? "" : ",") + (R"({"text":")" + text + R"("})");
  return body + "]}";
}

std::string Times(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_F(V1Test, AFilmBeyondAnyUseIsRefusedBeforeItIsMade) {
  // Within the bounds of a request: 8 MiB of text, and as many scenes as it has sentences.
  const JsonReply text = Api("POST", "/v1/video/storyboard", StoryOf(Times(99'000, "a"), 85));
  EXPECT_EQ(text.status, 413);
  EXPECT_THAT(text.TextAt("message"), HasSubstr("8388608 bytes"));
  const JsonReply scenes = Api("POST", "/v1/video/storyboard", StoryOf(Times(1001, "So. "), 5));
  EXPECT_EQ(scenes.status, 413);
  EXPECT_THAT(scenes.TextAt("message"),
              HasSubstr("5000 scenes in the sandbox, and this one has more"));
  EXPECT_EQ(Api("POST", "/v1/video/storyboard", StoryOf(Times(1000, "So. "), 5)).status, 200);
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 1U);
}

TEST_F(V1Test, AStoryboardIsAcceptedWithItsIdInTwoPlaces) {
  const JsonReply reply = Api("POST", "/v1/video/storyboard", kStory);
  const std::string id = reply.TextAt("jobId");
  EXPECT_EQ(reply.body,
            R"({"success":true,"jobId":")" + id + R"(","data":{"job_id":")" + id + R"("}})");
  EXPECT_EQ(Job(id).body,
            R"({"job_id":")" + id + R"(","success":true,"data":{"status":"in-progress"}})");
}

TEST_F(V1Test, AFinishedPreviewHasNoStatusAndParamsThatAreHardToCarry) {
  const std::string id = Preview();
  const JsonReply done = Job(id);
  EXPECT_FALSE(done.Has("data.status"));
  EXPECT_FALSE(done.Has("data.previewUrl"));
  EXPECT_EQ(done.TextAt("job_id"), id);
  EXPECT_EQ(done.TextAt("data.preview"), "http://localhost/preview/" + id + "?mode=player");
  EXPECT_EQ(Raw("GET", "/preview/" + id + "?mode=player").status, 200);

  EXPECT_EQ(done.NumberAt("data.renderParams.audio.track_volume"), 0.5);
  EXPECT_TRUE(done.At("data.renderParams.audio.audio_id").IsString());
  EXPECT_TRUE(done.At("data.renderParams.audio.video_volume").IsInt());
  EXPECT_THAT(done.TextAt("data.renderParams.audio.tts"), HasSubstr("http://"));
  EXPECT_EQ(done.TextAt("data.renderParams.output.name"), "Bread.mp4");
  EXPECT_EQ(done.TextAt("data.renderParams.output.description"), "about bread");
  EXPECT_EQ(done.NumberAt("data.renderParams.output.width"), 1280);
  EXPECT_TRUE(done.At("data.renderParams.next_generation_video").GetBool());
  EXPECT_TRUE(done.At("data.renderParams.containsTextToImage").GetBool());
  EXPECT_THAT(done.body, AllOf(HasSubstr(R"("frame":null)"), HasSubstr(R"("case":null)"),
                               HasSubstr("62.24400000000001"), HasSubstr("rgba(255,255,255,255)"),
                               HasSubstr("rgba(255,255,255,1)")));

  const Value& scenes = done.At("data.renderParams.scenes");
  ASSERT_EQ(scenes.Size(), 3u);
  const std::string source = ".background.src.0.";
  const std::string at = "data.renderParams.scenes.";
  EXPECT_TRUE(done.At(at + "0" + source + "asset_id").IsInt());
  EXPECT_TRUE(done.At(at + "1" + source + "asset_id").IsString());
  EXPECT_TRUE(done.At(at + "1" + source + "resource_id").IsString());
  EXPECT_EQ(done.TextAt(at + "2" + source + "url"), "https://files.test/own.png");
  EXPECT_EQ(done.TextAt(at + "2" + source + "type"), "image");
  EXPECT_EQ(done.NumberAt(at + "2.time"), 7.5);
  EXPECT_EQ(done.TextAt(at + "0.sub_scenes.0.text_lines.0.text"),
            "<strong>Fermentation</strong> makes bread &lt; cake &amp; 'more'.");
  EXPECT_EQ(done.TextAt(at + "1.subtitles.0.text"), "So wait for it.");
  EXPECT_FALSE(done.Has(at + "1.music-fade-out"));
  EXPECT_TRUE(done.At(at + "2.music-fade-out").GetBool());
  const std::string logo = at + "2.sub_scenes.0.displayItems.0.";
  EXPECT_EQ(done.TextAt(logo + "src"), "https://files.test/logo.png");
  EXPECT_EQ(done.TextAt(logo + "location.preset"), "top-right");
}

TEST_F(V1Test, RendersTheContentOfRenderParamsByteForByte) {
  const std::string params = RenderParamsOf(Preview());
  const std::string id = Render("POST", "/v1/video/render", params);
  const JsonReply journal = Control("GET", "/journal");
  EXPECT_EQ(journal.TextAt("entries.1.body"), params);
  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.status"), "completed");
  EXPECT_EQ(done.TextAt("data.shareVideoURL"), "http://localhost/v2/share/" + id);
  EXPECT_FALSE(done.Has("data.videoShareURL"));
  EXPECT_EQ(done.TextAt("data.videoURL"), "http://localhost/media/" + id + "/video.mp4");
  EXPECT_NEAR(done.NumberAt("data.videoDuration"), 2.8 + 2 + 7.5, 1e-9);
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.txt").body,
            "Fermentation makes bread < cake & 'more'.\nSo wait for it.\n");
}

TEST_F(V1Test, WhatTheCallerChangedInRenderParamsCounts) {
  std::string params = RenderParamsOf(Preview());
  const std::string old = "So wait for it.";
  for (std::size_t at; (at = params.find(old)) != std::string::npos;) {
    params.replace(at, old.size(), "Or do not.");
  }
  const std::string id = Render("POST", "/v1/video/render", params);
  EXPECT_THAT(Raw("GET", "/media/" + id + "/video.txt").body, HasSubstr("Or do not."));
}

TEST_F(V1Test, WrappedRenderParamsBreakTheRender) {
  const std::string params = RenderParamsOf(Preview());
  for (const std::string& body : {R"({"renderParams":)" + params + "}", std::string("{}")}) {
    const JsonReply failed = Job(Render("POST", "/v1/video/render", body));
    EXPECT_EQ(failed.status, 200);
    EXPECT_FALSE(failed.At("success").GetBool());
    EXPECT_EQ(failed.TextAt("data.status"), "failed");
    EXPECT_EQ(failed.TextAt("data.error_code"), "TEXT_TO_VIDEO_FAILED");
  }
  EXPECT_EQ(Api("POST", "/v1/video/render", "[]").status, 400);
}

TEST_F(V1Test, RendersAPreviewByItsId) {
  const std::string preview = Preview();
  for (const char* body : {"{}", "", R"({"webhook":"https://h.test/x"})"}) {
    const std::string id = Render("PUT", "/v1/video/render/" + preview, body);
    EXPECT_NE(id, preview);
    EXPECT_EQ(Job(id).TextAt("data.status"), "completed");
    EXPECT_NEAR(Job(id).NumberAt("data.videoDuration"), 12.3, 1e-9);
  }
  EXPECT_EQ(Api("PUT", "/v1/video/render/none", "{}").status, 404);
  const std::string early = Api("POST", "/v1/video/storyboard", kStory).TextAt("jobId");
  EXPECT_EQ(Api("PUT", "/v1/video/render/" + early, "{}").TextAt("code"), "JOB_NOT_COMPLETED");
}

TEST_F(V1Test, TheGenerationsDoNotRenderEachOthersPreviews) {
  const std::string old = Preview(), young = FinishedPreview();
  const JsonReply forward = Api("PUT", "/v2/video/render/" + old, "{}");
  EXPECT_EQ(forward.status, 400);
  EXPECT_EQ(forward.TextAt("code"), "INVALID_JOB");
  EXPECT_THAT(forward.TextAt("message"), HasSubstr("PUT /v1/video/render/" + old));
  const JsonReply backward = Api("PUT", "/v1/video/render/" + young, "{}");
  EXPECT_THAT(backward.TextAt("message"), HasSubstr("PUT /v2/video/render/" + young));
  EXPECT_EQ(Api("POST", "/v2/video/render", RenderParamsOf(old)).TextAt("fields.0.name"),
            "elements");
  EXPECT_EQ(Api("PUT", "/v2/video/storyboard/" + old + "/elements", "[]").TextAt("code"),
            "INVALID_JOB");
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 2u);
  // v1 takes v2's renderParams, as it takes anything, and fails over them.
  const std::string params = ToText(Job(young).At("data.renderParams"));
  EXPECT_EQ(Job(Render("POST", "/v1/video/render", params)).TextAt("data.status"), "failed");
}

TEST_F(V1Test, TranscriptionsHaveNoStatusAndTheirIdInside) {
  const JsonReply reply = Api("POST", "/v1/transcription",
                              R"({"fileUrl":"https://files.test/a.mp4","mediaType":"video",
                                  "language":"en-US","webhook":null})");
  const std::string id = reply.TextAt("data.job_id");
  EXPECT_EQ(Job(id).TextAt("job_id"), id);
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  clock_.Advance(3);
  const JsonReply done = Job(id);
  EXPECT_FALSE(done.Has("data.status"));
  EXPECT_FALSE(done.Has("job_id"));
  EXPECT_EQ(done.TextAt("data.job_id"), id);
  EXPECT_EQ(done.TextAt("data.editVideoUrl"), "http://localhost/v2/edit/" + id);
  EXPECT_NE(done.TextAt("data.txt"), "");
  EXPECT_EQ(Api("POST", "/v1/transcription", "{}").TextAt("fields.0.name"), "fileUrl");
}

TEST_F(V1Test, HighlightsOfATranscript) {
  const JsonReply reply = Api("POST", "/v1/transcription/highlights",
                              R"({"highlight_duration":"2","webhook":null,
              "transcript":[{"text":"Hello there","start":0,"end":1}]})");
  const std::string id = reply.TextAt("data.job_id");
  ASSERT_NE(id, "") << reply.body;
  clock_.Advance(2);
  const JsonReply done = Job(id);
  EXPECT_FALSE(done.Has("data.status"));
  EXPECT_TRUE(done.At("data.transcript.0.words.0.highlight").GetBool());
  EXPECT_EQ(Api("POST", "/v1/transcription/highlights", "{}").TextAt("fields.0.name"),
            "transcript");
}

TEST_F(V1Test, ATranscriptionOfOneGenerationIsSummarisedByTheOther) {
  const std::string id =
      Api("POST", "/v1/transcription", R"({"fileUrl":"https://files.test/a.mp4"})")
          .TextAt("data.job_id");
  clock_.Advance(3);
  Submit("POST", "/v2/transcription/" + id + "/highlights", R"({"highlight_duration":10})");
}

TEST_F(V1Test, TheListNamesEveryStatus) {
  Preview();
  Api("POST", "/v1/transcription", R"({"fileUrl":"https://files.test/a.mp4"})");
  clock_.Advance(3);
  const JsonReply list = Api("GET", "/v1/jobs");
  for (const char* item : {"items.0.data.", "items.1.data."}) {
    EXPECT_EQ(list.TextAt(item + std::string("status")), "completed");
    EXPECT_NE(list.TextAt(item + std::string("jobId")), "");
  }
}

TEST_F(V1Test, FailuresLookTheSameInBothGenerations) {
  const std::string magic = Preview(R"({"videoName":"a sandbox-fail","scenes":[{"text":"b"}]})");
  const std::string voice = Preview(
      R"({"videoName":"a","audio":{"aiVoiceOver":{"speaker":"Nobody","speed":100}},
          "scenes":[{"text":"b"}]})");
  const std::string visual = Preview(
      R"({"videoName":"a","scenes":[{"backgroundUri":"https://h.test/visual-not-found.mp4"}]})");
  EXPECT_EQ(Job(magic).TextAt("data.error_code"), "TEXT_TO_VIDEO_FAILED");
  EXPECT_THAT(Job(voice).TextAt("data.error_message"), HasSubstr("Nobody"));
  EXPECT_EQ(Job(visual).TextAt("data.error_code"), "SCENE_BACKGROUND_VISUAL_NOT_FOUND");
  EXPECT_FALSE(Job(visual).At("success").GetBool());
}

std::vector<std::string> Errors(const std::string& body) {
  std::string error;
  const auto json = ParseJson(body, &error);
  EXPECT_NE(json, nullptr) << error;
  std::vector<std::string> names;
  for (const FieldError& field : CheckStoryboardV1(*json)) names.push_back(field.name);
  return names;
}

TEST(StoryboardV1Test, TakesWhatTheDocumentedSamplesSend) {
  EXPECT_THAT(Errors(kStory), IsEmpty());
  for (const char* scene :
       {R"({"text":"a"})", R"({"articleUrl":"https://h.test/a"})",
        R"({"article_url":"https://h.test/a"})", R"({"pptUrl":"https://h.test/a"})",
        R"({"backgroundUri":"https://h.test/a","backgroundVideoSegments":[{"start":0,"end":1.5}]})",
        R"({"text":"","backgroundUri":"https://h.test/a","minDuration":"2"})"}) {
    EXPECT_THAT(Errors(R"({"videoName":"a/b: c","odd":1,"scenes":[)" + std::string(scene) + "]}"),
                IsEmpty())
        << scene;
  }
}

TEST(StoryboardV1Test, NamesEverythingThatIsWrongAtOnce) {
  EXPECT_THAT(Errors("{}"), ElementsAre("videoName", "scenes"));
  EXPECT_THAT(Errors(R"({"videoName":"a","scenes":[]})"), ElementsAre("scenes"));
  EXPECT_THAT(Errors(R"({"videoName":"a","webhook":"nowhere","videoWidth":"wide",
                 "audio":{"autoBackgroundMusic":"yes","backGroundMusicVolume":2,
                          "aiVoiceOver":{"speed":300,"amplifyLevel":-2}},
                 "scenes":[1,{},{"text":1,"backgroundType":"film"},
                           {"backgroundUri":"x","backgroundVideoSegments":[{"start":1}]}]})"),
              ElementsAre("webhook", "videoWidth", "audio.autoBackgroundMusic",
                          "audio.backGroundMusicVolume", "audio.aiVoiceOver.speaker",
                          "audio.aiVoiceOver.speed", "audio.aiVoiceOver.amplifyLevel", "scenes[0]",
                          "scenes[1].text", "scenes[2].text", "scenes[2].backgroundType",
                          "scenes[3].backgroundUri", "scenes[3].backgroundVideoSegments[0].end"));
}

Film FilmOf(const std::string& body) {
  std::string error;
  return FilmFromStoryboardV1(*ParseJson(body, &error));
}

TEST(StoryboardV1Test, SplitsTextAsTheSceneOrElseTheWholeSays) {
  const std::string scene = R"("text":"One. Two.\nThree.")";
  EXPECT_EQ(FilmOf(R"({"scenes":[{)" + scene + "}]}").scenes.size(), 1u);
  EXPECT_EQ(FilmOf(R"({"splitTextOnPeriod":true,"scenes":[{)" + scene + "}]}").scenes.size(), 3u);
  EXPECT_EQ(FilmOf(R"({"scenes":[{"splitTextOnNewLine":"true",)" + scene + "}]}").scenes.size(),
            2u);
  EXPECT_EQ(
      FilmOf(R"({"splitTextOnPeriod":true,"scenes":[{"splitTextOnPeriod":false,)" + scene + "}]}")
          .scenes.size(),
      1u);
}

TEST(StoryboardV1Test, SegmentsOfTheBackgroundMakeTheSceneAsLong) {
  EXPECT_EQ(FilmOf(R"({"scenes":[{"backgroundUri":"u",
      "backgroundVideoSegments":[{"start":1,"end":4},{"start":10,"end":19.5}]}]})")
                .seconds,
            12.5);
}

// What a caller may send has no shape that can be relied on.
TEST(RenderParamsV1Test, HostileOnesDoNoHarm) {
  for (const char* text :
       {R"({"output":{},"scenes":[1,"a",null,[]]})",
        R"({"output":{"width":"x","height":-1},"scenes":[{"time":"1e300","sub_scenes":{}}]})",
        R"({"output":{"name":5},"audio":7,
            "scenes":[{"time":-5,"sub_scenes":[0,{"text_lines":[0]}]}]})"}) {
    std::string error;
    const auto json = ParseJson(text, &error);
    ASSERT_NE(json, nullptr) << error;
    ASSERT_TRUE(IsRenderParamsV1(*json)) << text;
    const Film film = FilmFromRenderParamsV1(*json);
    EXPECT_GE(film.seconds, 0) << text;
    EXPECT_GE(film.width, 1) << text;
  }
}

}  // namespace
}  // namespace gateway::sandbox
