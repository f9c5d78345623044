// The pure parts: splitting, times, subtitles, highlights, small text functions.
#include "sandbox/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/film_maker.h"
#include "sandbox/magic.h"
#include "sandbox/transcript.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::unique_ptr<Json> Parse(const std::string& text) {
  std::string error;
  auto json = ParseJson(text, &error);
  EXPECT_NE(json, nullptr) << error;
  return json;
}

TEST(SplitStoryTest, ByLinesSentencesBothOrNeither) {
  const std::string story = " One. Two!\n\nThree? 3.5 is four \n";
  EXPECT_THAT(SplitStory(story, false, false), ElementsAre("One. Two!\n\nThree? 3.5 is four"));
  EXPECT_THAT(SplitStory(story, true, false), ElementsAre("One. Two!", "Three? 3.5 is four"));
  EXPECT_THAT(SplitStory(story, true, true), ElementsAre("One.", "Two!", "Three?", "3.5 is four"));
  EXPECT_THAT(SplitStory(story, false, true), ElementsAre("One.", "Two!", "Three?", "3.5 is four"));
  EXPECT_THAT(SplitStory(" \n ", true, true), IsEmpty());
  EXPECT_THAT(SplitStory("\u4e00\u3002\u4e8c\u3002", false, true),
              ElementsAre("\u4e00\u3002", "\u4e8c\u3002"));
}

TEST(PlainTextTest, DropsTagsAndResolvesEntities) {
  EXPECT_EQ(PlainText("<speak>a <strong>b</strong><break time=\"1s\"/> c</speak>"), "a b c");
  EXPECT_EQ(PlainText("1 < 2 &amp; 3 > 2 &copy; <"), "1 < 2 & 3 > 2 &copy; <");
}

TEST(FilmTest, TimesAddUp) {
  const auto body = Parse(R"({"videoName":"n","aspectRatio":"1:1","scenes":[
      {"story":"one two three four five six seven eight nine ten","endPauseDuration":1},
      {"background":{"color":"#fff"},"minimumDuration":7},
      {"storyCoPilot":{"prompt":"bread"}}]})");
  const Film film = FilmFromStoryboard(*body);
  EXPECT_EQ(film.width, 1080);
  EXPECT_EQ(film.height, 1080);
  ASSERT_EQ(film.scenes.size(), 3u);
  EXPECT_EQ(film.scenes[0].seconds, 5);
  EXPECT_EQ(film.scenes[1].start, 5);
  EXPECT_EQ(film.scenes[1].seconds, 7);
  EXPECT_THAT(film.scenes[1].captions, IsEmpty());
  EXPECT_THAT(film.scenes[2].text, HasSubstr("bread"));
  EXPECT_EQ(film.seconds, film.scenes[2].start + film.scenes[2].seconds);
}

TEST(FilmTest, CaptionsFitTheScreenAndKeepEveryWord) {
  std::string story;
  for (int i = 0; i < 100; ++i) story += "word" + std::to_string(i) + " ";
  const auto body = Parse(R"({"videoName":"n","scenes":[{"story":")" + story + R"("}]})");
  const Film film = FilmFromStoryboard(*body);
  std::string joined;
  double at = 0;
  for (const Caption& caption : Captions(film)) {
    EXPECT_LE(caption.text.size(), 90u);
    EXPECT_NEAR(caption.start, at, 1e-6);
    at = caption.start + caption.seconds;
    joined += caption.text + " ";
  }
  EXPECT_EQ(joined, story);
  EXPECT_NEAR(at, film.seconds, 1e-6);
}

TEST(FilmTest, HostileRenderParamsDoNoHarm) {
  for (const char* params : {"{}", "[]", R"({"elements":[1,null,{}]})",
                             R"({"output":{"width":-1e300},"elements":[{"type":"text","text":"x",
                                "startTime":-1e300,"duration":1e300}]})"}) {
    const Film film = FilmFromRenderParams(*Parse(params));
    EXPECT_GE(film.seconds, 0);
    EXPECT_LT(film.seconds, 1e6);
    EXPECT_GE(film.width, 1);
  }
}

TEST(SubtitlesTest, CarryOverIntoMinutesAndHours) {
  const std::vector<Caption> captions = {{3599.9996, 61.5, "late"}};
  EXPECT_EQ(ToSrt(captions), "1\n01:00:00,000 --> 01:01:01,500\nlate\n\n");
  EXPECT_EQ(ToVtt(captions), "WEBVTT\n\n01:00:00.000 --> 01:01:01.500\nlate\n\n");
}

TEST(AssTest, TextCannotGiveCommands) {
  const std::string ass =
      ToAss({{0, 2, "{\\fs99}big\nDialogue: x"}, {100, 1, "after the end"}}, 10);
  EXPECT_THAT(ass, HasSubstr("0:00:00.00,0:00:02.00,Words,,0,0,0,,(/fs99)big Dialogue: x\n"));
  EXPECT_THAT(ass, Not(HasSubstr("after the end")));
}

double Marked(const Json& transcript, int* words) {
  double seconds = 0;
  for (const Value& item : transcript.GetArray()) {
    for (const Value& word : item["words"].GetArray()) {
      if (!FindBool(word, "highlight", false)) continue;
      EXPECT_FALSE(FindBool(word, "is_pause", false));
      seconds += word["end_time"].GetDouble() - word["start_time"].GetDouble();
      ++*words;
    }
  }
  return seconds;
}

TEST(HighlightTest, NeverLongerThanAskedAndNeverNothing) {
  for (const double wanted : {1.0, 3.0, 15.0, 30.0, 300.0}) {
    const auto copy = NormalTranscript(BuiltInTranscript());
    Highlight(copy.get(), wanted);
    int words = 0;
    EXPECT_LE(Marked(*copy, &words), wanted + 1e-6);
    EXPECT_GT(words, 0) << wanted;
  }
}

TEST(HighlightTest, ChoosesAnewEachTime) {
  const auto transcript = NormalTranscript(BuiltInTranscript());
  int all = 0, few = 0;
  Highlight(transcript.get(), 300);
  Marked(*transcript, &all);
  Highlight(transcript.get(), 5);
  Marked(*transcript, &few);
  EXPECT_LT(few, all);
}

TEST(TranscriptTest, HostileOnesDoNoHarm) {
  for (const char* text :
       {R"([{"words":[]}])", R"([{"words":[1,"x",null,{}]}])", R"([{"text":" "}])",
        R"([{"words":[{"word":"a","start_time":5,"end_time":1}]}])",
        R"([{"text":"a b","start":9,"end":1}])"}) {
    const auto transcript = NormalTranscript(*Parse(text));
    Highlight(transcript.get(), 1);
    Parse(TranscriptionData(*transcript, true));
    Parse(HighlightsData(*transcript));
  }
}

TEST(MagicTest, WordsThatPictoryTakesInNames) {
  EXPECT_TRUE(FindMagic("x sandbox-fail y").fail);
  EXPECT_FALSE(FindMagic("x [fail] y").fail);
  EXPECT_FALSE(FindMagic("how not to fail").fail);
  const Magic render = FindMagic("sandbox-fail-render");
  EXPECT_TRUE(render.fail_render);
  EXPECT_FALSE(render.fail);
  EXPECT_FALSE(IsKnownSpeaker("Invalid"));
  EXPECT_TRUE(IsKnownSpeaker("Brian"));
}

TEST(UrlTest, Decoding) {
  EXPECT_EQ(PercentDecode("a%2Fb%zz%4"), "a/b%zz%4");
  EXPECT_EQ(QueryValue("a=1&b=%3D%26&c", "b"), "=&");
  EXPECT_EQ(QueryValue("a=1&b=2", "x"), "");
  for (const char* text : {"", "a", "ab", "abc", "\xff\x00z"}) {
    EXPECT_EQ(Base64Decode(Base64Encode(text)), text);
  }
  EXPECT_EQ(Base64Encode("hello"), "aGVsbG8=");
  EXPECT_EQ(Base64Decode("!!"), "");
}

}  // namespace
}  // namespace gateway::sandbox
