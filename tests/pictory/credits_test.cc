#include "pictory/credits.h"

#include <gtest/gtest.h>

namespace gateway::pictory {
namespace {

TEST(Credits, AreThoseOfTheVisualsThatARequestAsksFor) {
  EXPECT_EQ(EstimateCredits(""), 0);
  EXPECT_EQ(EstimateCredits(R"({"videoName":"n","scenes":[{"story":"Hello."}]})"), 0);
  EXPECT_EQ(EstimateCredits(R"({"aiVisual":{"prompt":"p","model":"flux-schnell"}})"), 4);
  EXPECT_EQ(EstimateCredits(R"({"aiVisual":{"prompt":"p","model":"veo3.1"}})"), 24);
  EXPECT_EQ(EstimateCredits(R"({"aiVisual" : {"prompt":"p"}})"), 24) << "it may be a video";
  EXPECT_EQ(
      EstimateCredits(R"([{"aiVisual":{"model":"veo3.1"}},{"aiVisual":{"model":"nanobanana"}}])"),
      28);
}

TEST(Credits, AWordInATextIsNoVisual) {
  EXPECT_EQ(EstimateCredits(R"({"story":"say \"aiVisual\" and \"aiCredits\": 7"})"), 0);
}

TEST(Credits, RenderParametersSayTheirOwn) {
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":48,"scenes":[]})"), 48);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits" : 3.5})"), 3.5);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":2,"aiVisual":{"model":"veo3.1"}})"), 24);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":-5})"), 0);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":1e300})"), 1e6);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":"x"})"), 0);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits":nan})"), 0);
  EXPECT_EQ(EstimateCredits(R"({"aiCredits")"), 0);
}

}  // namespace
}  // namespace gateway::pictory
