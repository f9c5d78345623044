// The older generation of Pictory's API: access tokens in place of a key, and the v1 paths.
#include <gmock/gmock.h>

#include "contract/contract.h"

namespace gateway::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kStillRunning[] = R"({"success":true,"data":{"status":"in-progress"}})";
constexpr char kOldStoryboard[] =
    R"({"videoName":"demo","videoWidth":"1080","videoHeight":1920, "audio":{"autoBackgroundMusic":"true"},)"
    R"("scenes":[{"text":"<strong>Hello<\/strong> there.","minimumDuration":2.50}]})";

pictory_jobs::CreatePreviewRequest OldPreview() {
  pictory_jobs::CreatePreviewRequest request;
  request.set_storyboard_json(kOldStoryboard);
  return request;
}

TEST_F(Contract, Case01_ATokenIsFetchedOnceAndSentAsItIs) {
  StartWithTokens();
  for (const char* id : {"a", "b", "c"}) {
    OnJob(id, {Json(200, kStillRunning), Json(200, R"({"data":{"preview":"https://p"}})")});
    EXPECT_EQ(Done(Preview(id)).state(), v1::JOB_STATE_SUCCEEDED);
  }
  const auto fetches = pictory_.Received(kTokenCall);
  ASSERT_THAT(fetches, SizeIs(1));
  EXPECT_TRUE(SameJson(fetches[0].body, R"({"client_id":"client-1","client_secret":"secret-1"})"));
  EXPECT_EQ(fetches[0].HeaderValues("content-type"), "application/json");
  for (const ReceivedRequest& request : pictory_.Received()) {
    if (CallOf(request) == kTokenCall) continue;
    EXPECT_EQ(request.HeaderValues("authorization"), "t1");
  }
}

TEST_F(Contract, Case03_WithTokensTheUserIdStandsBeside) {
  StartWithTokens();
  OnJob("a", {Json(200, R"({"data":{"preview":"https://p"}})")});
  Done(Preview("a"));
  EXPECT_THAT(pictory_.Calls(),
              ElementsAre(kTokenCall, "POST /v2/video/storyboard", "GET /v1/jobs/a"));
  for (const ReceivedRequest& request : pictory_.Received()) {
    if (CallOf(request) == kTokenCall) continue;
    EXPECT_EQ(request.HeaderValues("authorization"), "t1");
    EXPECT_EQ(request.HeaderValues("x-pictory-user-id"), "u-1");
    EXPECT_THAT(request.head, Not(HasSubstr("Bearer")));
  }
}

TEST_F(Contract, Case04_ARefusedTokenIsReplacedOnce) {
  StartWithTokens();
  const char call[] = "POST /v2/video/storyboard";
  pictory_.On(call, {Json(401, R"({"message":"Unauthorized"})"),
                     Json(200, R"({"success":true,"data":{"jobId":"a"}})")});
  OnJob("a", {Json(200, kStillRunning)});
  pictory_jobs::CreatePreviewRequest request;
  request.set_storyboard_json(R"({"videoName":"demo","scenes":[{"story":"s"}]})");
  const auto job = Api().CreatePreview(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "a");
  const auto posts = pictory_.Received(call);
  ASSERT_THAT(posts, SizeIs(2));
  EXPECT_EQ(posts[0].HeaderValues("authorization"), "t1");
  EXPECT_EQ(posts[1].HeaderValues("authorization"), "t2");
  EXPECT_EQ(posts[0].body, posts[1].body);
  EXPECT_EQ(pictory_.Count(kTokenCall), 2);

  // Refused again, it is not tried a third time.
  pictory_.On(call, {Json(401, R"({"message":"Unauthorized"})")});
  const int before = pictory_.Count(call);
  const auto refused = Api().CreatePreview(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << refused.status();
  EXPECT_EQ(pictory_jobs::Reason(refused.status()), "UPSTREAM_CREDENTIALS");
  EXPECT_LE(pictory_.Count(call), before + 2);
}

TEST_F(Contract, Case07_AnOldStoryboard) {
  StartWithV1();
  pictory_.On("POST /v1/video/storyboard",
              {Json(200, R"({"success":true,"jobId":"a","data":{"job_id":"a"}})")});
  OnJob("a", {Json(200, kStillRunning)});
  const auto job = Api().CreatePreview(OldPreview());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "a");
  EXPECT_EQ(pictory_.Received("POST /v1/video/storyboard")[0].body, kOldStoryboard);
}

TEST_F(Contract, Case08_AnOldStoryboardWithOneIdOnly) {
  StartWithV1();
  int n = 0;
  for (const char* body :
       {R"({"success":true,"data":{"job_id":"a1"}})", R"({"success":true,"jobId":"a2"})"}) {
    const std::string id = "a" + std::to_string(++n);
    pictory_.On("POST /v1/video/storyboard", {Json(200, body)});
    OnJob(id, {Json(200, kStillRunning)});
    const auto job = Api().CreatePreview(OldPreview());
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->pictory_job_id(), id);
  }
}

TEST_F(Contract, Case09_AnOldRender) {
  StartWithV1();
  pictory_.On("POST /v1/video/render", {Json(200, R"({"success":true,"data":{"job_id":"b"}})")});
  OnJob("b", {Json(200, kStillRunning)});
  pictory_jobs::RenderRequest request;
  request.set_render_params_json(R"({"audio":{},"output":{},"scenes":[]})");
  const auto job = Api().Render(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "b");
}

TEST_F(Contract, Case11_RenderParamsGoBackUnwrappedAndUnchanged) {
  StartWithV1();
  const std::string params =
      R"({"audio":{"track_volume":0.30000000000000004,"tts":null}, "output":{"width":1920},)"
      R"("scenes":[{"background":{"src":[{"asset_id":237432,"resource_id":"getty-1"},)"
      R"({"asset_id":"237432","resource_id":18446744073709551616}]},"text":"<strong>a<\/strong>"}],)"
      R"("next_generation_video":true,"containsTextToImage":true})";
  pictory_.On("POST /v1/video/storyboard", {Json(200, R"({"success":true,"jobId":"a"})")});
  OnJob("a", {Json(200, R"({"success":true,"data":{"renderParams":)" + params +
                            R"(,"preview":"https://p"}})")});
  const auto preview = Api().CreatePreview(OldPreview());
  ASSERT_TRUE(preview.ok()) << preview.status();
  const Job done = Done(*preview);

  pictory_.On("POST /v1/video/render", {Json(200, R"({"success":true,"data":{"job_id":"b"}})")});
  OnJob("b", {Json(200, kStillRunning)});
  pictory_jobs::RenderRequest request;
  request.set_render_params_json(Part(done, v1::RESULT_PART_RENDER_PARAMS_JSON));
  ASSERT_TRUE(Api().Render(request).ok());
  const std::string sent = pictory_.Received("POST /v1/video/render")[0].body;
  EXPECT_EQ(sent, params);
  EXPECT_TRUE(SameJson(sent, params));
  EXPECT_FALSE(SameJson(sent, R"({"renderParams":)" + params + "}"));

  request.set_render_params_json(R"({"renderParams":)" + params + "}");
  EXPECT_EQ(Api().Render(request).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(pictory_.Count("POST /v1/video/render"), 1);
}

TEST_F(Contract, Case47_AnOldSummary) {
  StartWithV1();
  const char call[] = "POST /v1/transcription/highlights";
  const std::string transcript = R"([{"words":[{"word":"Once","start_time":0.10}]}])";
  pictory_jobs::SummarizeRequest request;
  request.set_transcript_json(transcript);
  request.set_highlight_duration_seconds(60);
  int n = 0;
  for (const char* body :
       {R"({"success":true,"data":{"jobId":"s1"}})", R"({"success":true,"data":{"job_id":"s2"}})",
        R"({"success":true,"jobId":"s3"})", R"({"success":true,"job_id":"s4"})"}) {
    const std::string id = "s" + std::to_string(++n);
    pictory_.On(call, {Json(200, body)});
    OnJob(id, {Json(200, kStillRunning)});
    const auto job = Api().Summarize(request);
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->pictory_job_id(), id);
  }
  // There is no v1 call that names the transcription: what it made goes into the body.
  pictory_.On("POST /v1/transcription", {Json(200, R"({"success":true,"data":{"jobId":"t"}})")});
  OnJob("t", {Json(200, R"({"success":true,"data":{"transcript":)" + transcript + "}}")});
  pictory_jobs::TranscribeRequest media;
  media.set_file_url("https://media.example.com/talk.mp4");
  const auto transcription = Api().Transcribe(media);
  ASSERT_TRUE(transcription.ok()) << transcription.status();
  Done(*transcription);
  request.set_transcription_job_id(transcription->job_id());
  pictory_.On(call, {Json(200, R"({"success":true,"data":{"jobId":"s5"}})")});
  OnJob("s5", {Json(200, kStillRunning)});
  const auto summary = Api().Summarize(request);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto sent = pictory_.Received(call);
  EXPECT_TRUE(SameJson(sent.back().body,
                       R"({"transcript":)" + transcript + R"(,"highlight_duration":60})"));
  EXPECT_THAT(sent.back().body, HasSubstr(transcript));
}

TEST_F(Contract, Case55_ATokenThatEndsWhilePollingIsReplacedOnce) {
  StartWithTokens();
  OnJob("r", {Json(200, kStillRunning), Json(401, R"({"message":"Unauthorized"})"),
              Json(200, kStillRunning),
              Json(200, R"({"data":{"status":"completed","videoURL":"https://v"}})")});
  EXPECT_THAT(States(Render("r")), Not(::testing::Contains(v1::JOB_STATE_FAILED)));
  EXPECT_EQ(pictory_.Count(kTokenCall), 2);
  const auto polls = pictory_.Received("GET /v1/jobs/r");
  ASSERT_THAT(polls, SizeIs(4));
  EXPECT_EQ(polls[1].HeaderValues("authorization"), "t1");
  EXPECT_EQ(polls[2].HeaderValues("authorization"), "t2");
  EXPECT_EQ(polls[3].HeaderValues("authorization"), "t2");
}

}  // namespace
}  // namespace gateway::test
