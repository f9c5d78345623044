#include "json/unknown_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/proto_plan.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Each as `object: key (message)`.
std::vector<std::string> Unknown(std::string_view text, const google::protobuf::Descriptor* message,
                                 std::size_t max = 10) {
  const auto found = FindUnknown(text, {}, message, max);
  if (!found.ok()) return {std::string(found.status().message())};
  std::vector<std::string> shown;
  for (const UnknownMember& member : *found) {
    shown.push_back(member.object + ": " + member.key + " (" + std::string(member.message->name()) +
                    ")");
  }
  return shown;
}

std::vector<std::string> InStoryboard(std::string_view text, std::size_t max = 10) {
  return Unknown(text, v1::Storyboard::descriptor(), max);
}

TEST(FindUnknown, AtEveryDepth) {
  EXPECT_THAT(
      InStoryboard(
          R"({"videoNane":1,"voiceOver":{"enabled":true,"aiVoices":[{"speaker":"B"},{"sped":1}]},)"
          R"("scenes":[{},{"story":"s","background":{"color_overlay":1,"settings":{"lop":1}}}]})"),
      ElementsAre(": videoNane (Storyboard)", "voiceOver.aiVoices[1]: sped (AiVoice)",
                  "scenes[1].background: color_overlay (Background)",
                  "scenes[1].background.settings: lop (BackgroundSettings)"));
}

TEST(FindUnknown, KeysAreDecoded) {
  EXPECT_THAT(InStoryboard(R"({"video\u004eame":"n","\u0061b":1})"),
              ElementsAre(": ab (Storyboard)"));
}

TEST(FindUnknown, NothingIsLookedForWhereThereIsNoShape) {
  for (const char* text :
       {R"({"webhookInput":{"a":{"b":[{"c":1}]}}})", R"({"variables":{"a":"b"}})",
        R"({"scenes":[{"transcript":[{"words":[{}]}],"subtitles":[{"text":"t"}]}]})",
        R"({"scenes":[{"backgroundVisual":{"x":{"y":1}}}]})",
        R"({"voiceOver":{"aiVoices":[{"speaker":{"a":1}}]}})", R"({"voiceOver":null})",
        R"({"voiceOver":true,"scenes":"none","logo":[{"a":1}],"avatar":[[{"a":1}]]})",
        R"({"scenes":[[{"a":1}],1,null,"s"]})", "[{\"a\":1}]", "1", R"("a")"}) {
    EXPECT_THAT(InStoryboard(text), IsEmpty()) << text;
  }
}

TEST(FindUnknown, InsideAnUnknownMemberNothingIsLookedFor) {
  EXPECT_THAT(InStoryboard(R"({"a":{"b":[{"c":1}]},"scenes":[{"d":[[{"e":1}]],"f":1}]})"),
              ElementsAre(": a (Storyboard)", "scenes[0]: d (Scene)", "scenes[0]: f (Scene)"));
}

TEST(FindUnknown, ElementsAreCountedWhateverTheyAre) {
  EXPECT_THAT(InStoryboard(R"({"scenes":[1,[{"a":1}],null,{"b":1},{},{"c":1}]})"),
              ElementsAre("scenes[3]: b (Scene)", "scenes[5]: c (Scene)"));
}

TEST(FindUnknown, ASingleObjectStandsForAList) {
  EXPECT_THAT(InStoryboard(R"({"scenes":{"a":1}})"), ElementsAre("scenes: a (Scene)"));
}

TEST(FindUnknown, JsonTextIsNotLookedInto) {
  EXPECT_THAT(Unknown(R"({"fileUrl":"u","transcript":[{"words":1}],"highlights":[{"from":1}]})",
                      v1::TranscribeRequest::descriptor()),
              ElementsAre("highlights[0]: from (Clip)"));
}

TEST(FindUnknown, NoMoreThanAreWanted) {
  EXPECT_THAT(InStoryboard(R"({"a":1,"b":1,"c":1})", 2),
              ElementsAre(": a (Storyboard)", ": b (Storyboard)"));
}

TEST(FindUnknown, AnOddNumberMakesNothingTwice) {
  EXPECT_THAT(InStoryboard(R"({"a":1,"videoWidth":1e999,"scenes":[{"b":1e400}]})"),
              ElementsAre(": a (Storyboard)", "scenes[0]: b (Scene)"));
}

TEST(FindUnknown, BrokenTextIsRefused) {
  EXPECT_FALSE(FindUnknown(R"({"a":1)", {}, v1::Storyboard::descriptor(), 9).ok());
}

}  // namespace
}  // namespace gateway::json
