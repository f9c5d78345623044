#include "pictory/job_name.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

std::string OfText(const std::string& json) {
  v1::RenderRequest request;
  request.set_storyboard_json(json);
  return JobNameIn(request);
}

std::string OfFile(const std::string& url) {
  v1::TranscribeRequest request;
  request.set_file_url(url);
  return JobNameIn(request);
}

TEST(JobName, IsThatOfTheVideoInWhicheverWayItIsGiven) {
  v1::CreatePreviewRequest request;
  request.mutable_storyboard()->set_video_name("Spring");
  EXPECT_EQ(JobNameIn(request), "Spring");
  EXPECT_EQ(OfText(R"({"scenes":[{"videoName":"inner"}],"videoName":"Spring"})"), "Spring");
  v1::CreatePreviewRequest from_template;
  from_template.set_from_template_json(R"({"templateId":"t","videoName":"Spring"})");
  EXPECT_EQ(JobNameIn(from_template), "Spring");
}

TEST(JobName, IsThatOfTheFileWithoutWhatMayBeSecret) {
  EXPECT_EQ(OfFile("https://media.example.com/a/talk.mp4?token=secret"), "talk.mp4");
  EXPECT_EQ(OfFile("https://media.example.com/talk.mp4#part"), "talk.mp4");
  EXPECT_EQ(OfFile("https://media.example.com/my%20caf%C3%A9%0A.mp4"), "my caf\xC3\xA9 .mp4");
  EXPECT_EQ(OfFile("https://media.example.com/a/"), "");
  EXPECT_EQ(OfFile("https://user:secret@media.example.com"), "");
  EXPECT_EQ(OfFile("talk.mp4"), "");
}

TEST(JobName, IsEmptyWhereNothingHasOne) {
  v1::RenderRequest of_preview;
  of_preview.set_preview_job_id("job");
  EXPECT_EQ(JobNameIn(of_preview), "");
  v1::RenderRequest of_params;
  of_params.set_render_params_json(R"({"output":{}})");
  EXPECT_EQ(JobNameIn(of_params), "");
  v1::CreatePreviewRequest from_template;
  from_template.mutable_from_template()->set_template_id("t");
  EXPECT_EQ(JobNameIn(from_template), "");
  v1::GenerateImageRequest image;
  image.set_prompt("A lake");
  EXPECT_EQ(JobNameIn(image), "");
  EXPECT_EQ(JobNameIn(v1::CreatePreviewRequest()), "");
}

TEST(JobName, IsOnOneLineAndBounded) {
  EXPECT_EQ(OfText(R"({"videoName":"a\nb\u001b[31mc"})"), "a b [31mc");
  const std::string longest = OfText(R"({"videoName":")" + std::string(10'000, 'x') + R"("})");
  EXPECT_EQ(longest, std::string(limits::kJobNameMaxBytes, 'x') + "...");
  EXPECT_EQ(longest.size(), 256U) << "what job.proto says";
}

}  // namespace
}  // namespace gateway::pictory
