#include "pictory/credits.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "json/check.h"
#include "pictory/job_result.h"

namespace gateway::pictory {
namespace {

double Estimate(std::string_view body) {
  return EstimateCredits(::pictory::jobs::v1::JOB_KIND_RENDER, body);
}

TEST(Credits, AreThoseOfTheVisualsThatARequestAsksFor) {
  EXPECT_EQ(Estimate(""), 0);
  EXPECT_EQ(Estimate(R"({"videoName":"n","scenes":[{"story":"Hello."}]})"), 0);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"prompt":"p","model":"flux-schnell"}})"), 0.6);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"prompt":"p","model":"nanobanana-pro"}})"), 14);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"prompt":"p","model":"veo3.1","videoDuration":"8s"}})"), 160);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"prompt":"p","model":"veo3.1"}})"), 80);
  EXPECT_EQ(Estimate(R"({"aiVisual" : {"prompt":"p"}})"), 8) << "it may be a clip";
  EXPECT_EQ(Estimate(R"({"aiVisual":{"model":"veo4"}})"), 160) << "as the dearest";
  EXPECT_EQ(
      Estimate(R"([{"aiVisual":{"model":"veo3.1_fast"}},{"aiVisual":{"model":"nanobanana"}}])"),
      44);
}

TEST(Credits, OfAiStudioAreThoseOfItsModel) {
  const auto image = [](std::string_view body) {
    return EstimateCredits(::pictory::jobs::v1::JOB_KIND_IMAGE, body);
  };
  EXPECT_EQ(image(R"({"prompt":"a lake"})"), 2);
  EXPECT_EQ(image(R"({"prompt":"a lake","model":"nanobanana"})"), 4);
  EXPECT_EQ(image(R"({"prompt":"a lake","model":"new"})"), 14);
  const auto clip = [](std::string_view body) {
    return EstimateCredits(::pictory::jobs::v1::JOB_KIND_VIDEO, body);
  };
  EXPECT_EQ(clip(R"({"prompt":"a lake"})"), 8);
  EXPECT_DOUBLE_EQ(clip(R"({"prompt":"a lake","duration":"10s"})"), 16);
  EXPECT_EQ(clip(R"({"prompt":"a lake","model":"veo3.1_fast","duration":"6s"})"), 60);
  EXPECT_EQ(clip(R"({"prompt":"a lake","model":"seedream3.0"})"), 160) << "makes no clips";
  EXPECT_EQ(clip(R"({"prompt":"a lake","duration":"1e300s"})"), 96);
  EXPECT_EQ(clip(R"({"prompt":"a lake","duration":"nan"})"), 8);
}

TEST(Credits, AWordInATextIsNoVisual) {
  EXPECT_EQ(Estimate(R"({"story":"say \"aiVisual\" and \"aiCredits\": 7"})"), 0);
}

TEST(Credits, RenderParametersSayTheirOwn) {
  EXPECT_EQ(Estimate(R"({"aiCredits":48,"scenes":[]})"), 48);
  EXPECT_EQ(Estimate(R"({"aiCredits" : 3.5})"), 3.5);
  EXPECT_EQ(Estimate(R"({"aiCredits":2,"aiVisual":{"model":"veo3.1"}})"), 80);
  EXPECT_EQ(Estimate(R"({"aiCredits":-5})"), 0);
  EXPECT_EQ(Estimate(R"({"aiCredits":1e300})"), 1e6);
  EXPECT_EQ(Estimate(R"({"aiCredits":"x"})"), 0);
  EXPECT_EQ(Estimate(R"({"aiCredits":nan})"), 160) << "cannot be read";
}

TEST(Credits, AKeyIsReadHoweverItIsWritten) {
  EXPECT_EQ(Estimate(R"({"scenes":[{"ai\u0056isual":{"model":"nanobanana"}}]})"), 4);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"prompt":"a } b","model":"nanobanana"}})"), 4);
  EXPECT_EQ(Estimate(R"({"aiVisual":{"more":{"aiVisual":{}},"model":"nanobanana"}})"), 4);
  EXPECT_EQ(Estimate(R"({"scenes":["aiVisual","aiVisual",{"k":{}}],"aiVisual":"x"})"), 0);
  EXPECT_EQ(Estimate(R"({"scenes":[{"aiVisual":{"model":"nanobanana"}}],"odd":"\ud800"})"), 4)
      << "once, though an odd text is read twice";
  EXPECT_EQ(Estimate(R"({"aiVisual")"), 160) << "as the dearest, if it cannot be read";
}

// Each was read from its key to the one far bracket.
TEST(Credits, ManyWordsThatAreNoKeysTakeNoTime) {
  std::string body = R"({"scenes":[)";
  for (int i = 0; i < 500'000; ++i) body += R"("aiVisual",)";
  body += R"({"k":[)" + std::string(4'000'000, ' ') + "]}]}";
  const std::clock_t begin = std::clock();
  ASSERT_TRUE(json::Check(body, JobReplyLimits(body.size())).ok());
  const std::clock_t checked = std::clock();
  EXPECT_EQ(Estimate(body), 0);
  EXPECT_LT(std::clock() - checked, 20 * (checked - begin)) << "beside one reading of the text";
}

}  // namespace
}  // namespace gateway::pictory
