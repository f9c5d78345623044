#include "pictory/did_you_mean.h"

#include <gtest/gtest.h>

namespace gateway::pictory {
namespace {

const std::vector<std::string> kKnown = {"videoName", "videoWidth", "scenes", "brandId",
                                         "voiceOver"};

TEST(ClosestWord, SpellingsThatDifferInCaseAndSeparatorsAreTheSame) {
  EXPECT_EQ(ClosestWord("video_name", kKnown), "videoName");
  EXPECT_EQ(ClosestWord("VIDEO-NAME", kKnown), "videoName");
  EXPECT_EQ(ClosestWord("brandID", kKnown), "brandId");
}

TEST(ClosestWord, FindsTypingErrors) {
  EXPECT_EQ(ClosestWord("scene", kKnown), "scenes");
  EXPECT_EQ(ClosestWord("scnees", kKnown), "scenes");
  EXPECT_EQ(ClosestWord("vidoeNmae", kKnown), "videoName");
  EXPECT_EQ(ClosestWord("voiceover", kKnown), "voiceOver");
}

TEST(ClosestWord, SaysNothingWhereNothingIsNear) {
  EXPECT_EQ(ClosestWord("logo", kKnown), "");
  EXPECT_EQ(ClosestWord("", kKnown), "");
  EXPECT_EQ(ClosestWord("x", kKnown), "");
  EXPECT_EQ(ClosestWord(std::string(100'000, 'v'), kKnown), "");
  EXPECT_EQ(ClosestWord("videoName", {}), "");
}

TEST(ClosestWord, PrefersTheNearest) {
  EXPECT_EQ(ClosestWord("videoWidt", {"videoHeight", "videoWidth"}), "videoWidth");
}

}  // namespace
}  // namespace gateway::pictory
