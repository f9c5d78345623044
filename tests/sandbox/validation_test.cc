// Which bodies the sandbox refuses, and with which field named.
#include <gmock/gmock.h>

#include "sandbox/rig.h"
#include "sandbox/storyboard_check.h"

namespace gateway::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Names(const std::string& body) {
  std::string error;
  const auto json = ParseJson(body, &error);
  EXPECT_NE(json, nullptr) << body << error;
  std::vector<std::string> names;
  for (const FieldError& field : CheckStoryboard(*json)) names.push_back(field.name);
  return names;
}

std::vector<std::string> TopNames(const std::string& more) {
  return Names(R"({"videoName":"a","scenes":[{"story":"b"}],)" + more + "}");
}

std::vector<std::string> SceneNames(const std::string& scene) {
  return Names(R"({"videoName":"a","scenes":[)" + scene + "]}");
}

TEST(StoryboardCheckTest, NamesAndScenes) {
  EXPECT_THAT(Names(R"({"videoName":"a","scenes":[{"story":"b"}]})"), IsEmpty());
  EXPECT_THAT(Names(R"({"videoName":"a","templateId":"t"})"), IsEmpty());
  EXPECT_THAT(Names("{}"), ElementsAre("videoName", "scenes"));
  EXPECT_THAT(Names("[]"), ElementsAre(""));
  EXPECT_THAT(Names(R"({"videoName":"","scenes":[]})"), ElementsAre("videoName", "scenes"));
  EXPECT_THAT(Names(R"({"videoName":1,"scenes":{}})"), ElementsAre("videoName", "scenes"));
  EXPECT_THAT(Names(R"({"videoName":"a/b","templateId":"t"})"), ElementsAre("videoName"));
  EXPECT_THAT(Names(R"({"videoName":"Größe 1_2-3 sandbox-fail","templateId":"t"})"), IsEmpty());
  EXPECT_THAT(Names(R"({"videoName":"[fail]","templateId":"t"})"), ElementsAre("videoName"));
  EXPECT_THAT(Names(R"({"videoName":")" + std::string(151, 'x') + R"(","templateId":"t"})"),
              ElementsAre("videoName"));
  EXPECT_THAT(SceneNames("1"), ElementsAre("scenes[0]"));
}

TEST(StoryboardCheckTest, TopLevelRules) {
  EXPECT_THAT(TopNames(R"("videoWidth":100)"), ElementsAre("videoHeight"));
  EXPECT_THAT(TopNames(R"("videoHeight":100)"), ElementsAre("videoWidth"));
  EXPECT_THAT(TopNames(R"("videoWidth":"100","videoHeight":"200")"), IsEmpty());
  EXPECT_THAT(TopNames(R"("aspectRatio":"2:1")"), ElementsAre("aspectRatio"));
  EXPECT_THAT(TopNames(R"("language":"en-US")"), ElementsAre("language"));
  EXPECT_THAT(TopNames(R"("brandId":"a","brandName":"b")"), ElementsAre("brandId"));
  EXPECT_THAT(TopNames(R"("subtitleStyleId":"a","subtitleStyleName":"b")"),
              ElementsAre("subtitleStyleId"));
  EXPECT_THAT(TopNames(R"("smartLayoutId":"a","smartLayoutName":"b")"),
              ElementsAre("smartLayoutId"));
  EXPECT_THAT(TopNames(R"("brandId":"a","brandName":null)"), IsEmpty());
  EXPECT_THAT(TopNames(R"("webhook":"ftp://x")"), ElementsAre("webhook"));
  EXPECT_THAT(TopNames(R"("webhook":"https://x/)" + std::string(500, 'y') + "\""),
              ElementsAre("webhook"));
  EXPECT_THAT(TopNames(R"("webhookInput":"x")"), ElementsAre("webhookInput"));
  EXPECT_THAT(TopNames(R"("saveProject":"yes")"), ElementsAre("saveProject"));
  EXPECT_THAT(TopNames(R"("saveProject":"true","unknownField":[1])"), IsEmpty());
  EXPECT_THAT(TopNames(R"("avatar":{"avatarId":"x"})"), ElementsAre("avatar"));
  EXPECT_THAT(TopNames(R"("avatar":{"avatarId":"x"},"voiceOver":{"enabled":true})"), IsEmpty());
}

TEST(StoryboardCheckTest, VoiceAndMusic) {
  EXPECT_THAT(TopNames(R"("voiceOver":{"aiVoices":[{}]})"),
              ElementsAre("voiceOver.aiVoices[0].speaker"));
  EXPECT_THAT(TopNames(R"("voiceOver":{"aiVoices":[{"speaker":"Brian","speed":"100",
                           "amplificationLevel":-1},{"speaker":3108}]})"),
              IsEmpty());
  EXPECT_THAT(TopNames(R"("voiceOver":{"aiVoices":[{"speaker":"B","speed":201}]})"),
              ElementsAre("voiceOver.aiVoices[0].speed"));
  EXPECT_THAT(TopNames(R"("voiceOver":{"aiVoices":[{"speaker":"B"}],
                           "externalVoice":{"voiceUrl":"https://x/y.mp3"}})"),
              ElementsAre("voiceOver.aiVoices"));
  EXPECT_THAT(TopNames(R"("voiceOver":{"externalVoice":{}})"),
              ElementsAre("voiceOver.externalVoice.voiceUrl"));
  EXPECT_THAT(TopNames(R"("backgroundMusic":{"autoMusic":true,"musicUrl":"https://x/y.mp3"})"),
              ElementsAre("backgroundMusic.autoMusic"));
  EXPECT_THAT(TopNames(R"("backgroundMusic":{"volume":1.1})"),
              ElementsAre("backgroundMusic.volume"));
}

TEST(StoryboardCheckTest, Scenes) {
  EXPECT_THAT(SceneNames("{}"), ElementsAre("scenes[0].story"));
  EXPECT_THAT(SceneNames(R"({"background":{"color":"#fff"}})"), IsEmpty());
  EXPECT_THAT(SceneNames(R"({"story":"a","blogUrl":"https://x/y"})"),
              ElementsAre("scenes[0].story"));
  EXPECT_THAT(SceneNames(R"({"story":"a"},{"videoUrl":"https://x/y.mp4"})"),
              ElementsAre("scenes[1].audioLanguage"));
  EXPECT_THAT(SceneNames(R"({"story":")" + std::string(15'001, 's') + R"("})"),
              ElementsAre("scenes[0].story"));
  // The limit counts characters, not bytes.
  std::string umlauts;
  for (int i = 0; i < 15'000; ++i) umlauts += "ä";
  EXPECT_THAT(SceneNames(R"({"story":")" + umlauts + R"("})"), IsEmpty());
  EXPECT_THAT(SceneNames(R"({"blogUrl":"https://x/y","caption":"c"})"),
              ElementsAre("scenes[0].caption"));
  EXPECT_THAT(SceneNames(R"({"story":"a","caption":"c","createSceneOnNewLine":true})"),
              ElementsAre("scenes[0].caption"));
  EXPECT_THAT(SceneNames(R"({"story":"a","maxSubtitleLines":5})"),
              ElementsAre("scenes[0].maxSubtitleLines"));
  EXPECT_THAT(SceneNames(R"({"story":"a","sceneTransition":"explode"})"),
              ElementsAre("scenes[0].sceneTransition"));
  EXPECT_THAT(SceneNames(R"({"storyCoPilot":{"duration":601}})"),
              ElementsAre("scenes[0].storyCoPilot.prompt", "scenes[0].storyCoPilot.duration"));
  EXPECT_THAT(SceneNames(R"({"story":"a","elements":[]})"), ElementsAre("scenes[0].elements"));
}

TEST(StoryboardCheckTest, Backgrounds) {
  const auto names = [](const std::string& background) {
    return SceneNames(R"({"story":"a","background":)" + background + "}");
  };
  EXPECT_THAT(names(R"({"visualUrl":"https://x/y.jpg","color":"#fff"})"),
              ElementsAre("scenes[0].background.visualUrl"));
  EXPECT_THAT(names(R"({"aiVisual":{"prompt":"x"}})"), ElementsAre("scenes[0].background.type"));
  EXPECT_THAT(names(R"({"type":"video","aiVisual":{"prompt":"x"}})"), IsEmpty());
  EXPECT_THAT(names(R"({"settings":{"zoomAndPan":true,"kenBurnsEffect":{}}})"),
              ElementsAre("scenes[0].background.settings.kenBurnsEffect"));
  EXPECT_THAT(names(R"({"colorOverlay":{"opacity":2}})"),
              ElementsAre("scenes[0].background.colorOverlay.opacity"));
  EXPECT_THAT(names(R"({"clips":[]})"), ElementsAre("scenes[0].background.clips"));
}

TEST(WebUrlTest, Table) {
  for (const char* good : {"https://a", "http://a.b/c?d", "https://127.0.0.1:80/"}) {
    EXPECT_TRUE(IsWebUrl(good)) << good;
  }
  for (const char* bad : {"", "https://", "https:///x", "ftp://a", "a.b", "https://a b"}) {
    EXPECT_FALSE(IsWebUrl(bad)) << bad;
  }
}

class ValidationTest : public Rig {
 protected:
  void SetUp() override { Start(); }
};

TEST_F(ValidationTest, TheReplyHasPictorysShape) {
  const JsonReply reply = Api("POST", "/v2/video/storyboard", R"({"videoName":"a"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.TextAt("code"), "INVALID_REQUEST_BODY");
  EXPECT_NE(reply.TextAt("message"), "");
  EXPECT_EQ(reply.TextAt("fields.0.name"), "scenes");
  EXPECT_EQ(reply.TextAt("fields.0.errors"), "\"scenes\" is required");
  EXPECT_FALSE(reply.Has("success"));
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 0u);
}

TEST_F(ValidationTest, BodiesThatAreNotJson) {
  const auto status = [&](const std::string& body) {
    return Api("POST", "/v2/video/storyboard", body).status;
  };
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("{"), 400);
  EXPECT_EQ(status("null"), 400);
  EXPECT_EQ(status(R"({"videoName":"a","scenes":[{"story":"b"}]} x)"), 400);
  EXPECT_EQ(status("{\"videoName\":\"\xff\",\"templateId\":\"t\"}"), 400);
  EXPECT_EQ(status(R"({"videoName":"\udc00","templateId":"t"})"), 400);
  EXPECT_EQ(status(R"({"videoName":"\uD83D\ud83d","templateId":"t"})"), 400);
  EXPECT_EQ(status(R"({"videoName":"\uD83D\uDE00 \\udc00","templateId":"t"})"), 400);  // the '\'
  EXPECT_EQ(status(R"({"videoName":"\uD83D\uDE00","templateId":"t"})"), 200);
  EXPECT_EQ(status(R"({"videoName":"a","x":"\\udc00","templateId":"t"})"), 200);
  EXPECT_EQ(status(std::string(1'000'000, '[')), 400);
  EXPECT_EQ(status(R"({"videoName":"a","templateId":"t","x":)" + std::string(70, '[') +
                   std::string(70, ']') + "}"),
            400);
  EXPECT_EQ(status(R"({"videoName":"a","templateId":"]]]][[[[","x":"\"[["})"), 200);
}

TEST_F(ValidationTest, BodiesOverSixteenMegabytes) {
  EXPECT_EQ(Api("POST", "/v2/video/storyboard", std::string(17 << 20, ' ')).status, 413);
  EXPECT_EQ(Api("POST", "/v2/video/storyboard", std::string(15 << 20, ' ')).status, 400);
}

TEST_F(ValidationTest, Transcriptions) {
  const auto field = [&](const std::string& body) {
    return Api("POST", "/v2/transcription", body).TextAt("fields.0.name");
  };
  EXPECT_EQ(field("{}"), "fileUrl");
  EXPECT_EQ(field(R"({"fileUrl":"http://example.test/a.mp4"})"), "fileUrl");
  EXPECT_EQ(field(R"({"fileUrl":"https://a/b","mediaType":"text"})"), "mediaType");
  EXPECT_EQ(field(R"({"fileUrl":"https://a/b","webhook":"x"})"), "webhook");
  EXPECT_EQ(field(R"({"fileUrl":"https://a/b","transcript":[]})"), "transcript");
  EXPECT_EQ(field(R"({"fileUrl":"https://a/b","transcript":[{"uid":"s"}]})"), "transcript");
}

}  // namespace
}  // namespace gateway::sandbox
