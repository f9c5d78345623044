#include "mcp/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "mcp/mcp_house.h"
#include "pictory/credits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::mcp {
namespace {

using ::testing::Optional;

class CostTest : public ::testing::Test {
 protected:
  CostTest() { preview_.set_request_id("ours"); }

  absl::StatusOr<std::optional<double>> Cost(const google::protobuf::Message& request) {
    fake::Handlers handlers;
    handlers.get = [this](const v1::GetJobRequest&,
                          const fake::CallInfo&) -> absl::StatusOr<v1::GetJobResponse> {
      v1::GetJobResponse response;
      *response.mutable_job() = preview_;
      return response;
    };
    const fake::FakeServer server(std::move(handlers));
    fake::FakePacing pacing;
    return CostOf(request, fake::Connect(server, pacing));
  }

  v1::Job preview_ = fake::MakeJob("p", v1::JOB_STATE_SUCCEEDED);
};

TEST_F(CostTest, OfPicturesAndClipsIsByTheirModels) {
  v1::GenerateImageRequest image;
  image.set_prompt("a house by the sea");
  EXPECT_THAT(*Cost(image), Optional(2));
  image.set_model("nanobanana-pro");
  EXPECT_THAT(*Cost(image), Optional(14));
  v1::GenerateVideoRequest video;
  video.set_prompt("a house by the sea");
  EXPECT_THAT(*Cost(video), Optional(8));
  video.set_model("veo3.1");
  video.set_duration("8s");
  EXPECT_THAT(*Cost(video), Optional(160));
}

TEST_F(CostTest, OfStoryboardsIsThatOfTheirVisuals) {
  v1::RenderRequest render;
  render.mutable_storyboard()->set_video_name("v");
  auto& scene = *render.mutable_storyboard()->add_scenes();
  scene.set_story("Hello.");
  EXPECT_THAT(*Cost(render), Optional(0));
  render.set_storyboard_json(
      R"({"videoName":"v","scenes":[{"story":"Hello.","background":{"type":"image","aiVisual":)"
      R"({"prompt":"a house","model":"nanobanana"}}}]})");
  EXPECT_THAT(*Cost(render), Optional(4));
}

TEST_F(CostTest, OfTranscriptsIsNothing) {
  v1::TranscribeRequest request;
  request.set_file_url("https://media.example.com/a.mp4");
  EXPECT_THAT(*Cost(request), Optional(0));
}

TEST_F(CostTest, OfAPreviewIsWhatIsKnownOfIt) {
  v1::RenderRequest render;
  render.set_preview_job_id("p");
  preview_.mutable_preview()->set_render_params_json(R"({"scenes":[{"aiCredits":6}]})");
  EXPECT_THAT(*Cost(render), Optional(6));
  preview_.set_credits_used(9);
  EXPECT_THAT(*Cost(render), Optional(9));
  preview_.set_state(v1::JOB_STATE_RUNNING);
  EXPECT_EQ(*Cost(render), std::nullopt);
}

TEST_F(CostTest, OfAPreviewThatWasMadeElsewhereIsAGuessUntilItIsTold) {
  v1::RenderRequest render;
  render.set_preview_job_id("p");
  preview_.clear_request_id();
  preview_.mutable_preview()->set_render_params_json(R"({"scenes":[{"aiCredits":6}]})");
  EXPECT_THAT(*Cost(render), Optional(pictory::kUnknownCredits));
  preview_.set_credits_used(0);
  EXPECT_THAT(*Cost(render), Optional(6));
}

// The AI visuals of its own scenes stand in no body.
TEST_F(CostTest, OfATemplateIsNotKnown) {
  v1::CreatePreviewRequest preview;
  preview.mutable_from_template()->set_template_id("t");
  EXPECT_EQ(*Cost(preview), std::nullopt);
  preview.set_from_template_json(R"({"templateId":"t"})");
  EXPECT_EQ(*Cost(preview), std::nullopt);
}

TEST_F(CostTest, OfAProjectIsNotKnown) {
  v1::RenderRequest render;
  render.set_project_id("x");
  EXPECT_EQ(*Cost(render), std::nullopt);
}

TEST_F(CostTest, OfWhatIsWrongIsAnError) {
  const auto cost = Cost(v1::TranscribeRequest());
  EXPECT_EQ(errors::Reason(cost.status()), "INVALID_REQUEST");
}

}  // namespace
}  // namespace gateway::mcp
