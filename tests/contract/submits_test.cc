// What goes out when a job is submitted, and what becomes of each answer to it.
#include <gmock/gmock.h>

#include <future>

#include "contract/contract.h"
#include "http/curl_transport.h"
#include "pictory/job_list.h"
#include "pictory/submit_reply.h"

namespace gateway::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kPreviewCall[] = "POST /v2/video/storyboard";

pictory_jobs::CreatePreviewRequest PreviewOf(const std::string& storyboard_json) {
  pictory_jobs::CreatePreviewRequest request;
  request.set_storyboard_json(storyboard_json);
  return request;
}

// A body that gives Pictory the last word on its scenes.
pictory_jobs::CreatePreviewRequest FromTemplate() {
  return PreviewOf(R"({"videoName":"demo","templateId":"t1"})");
}

MATCHER_P2(FailsWith, code, reason, "") {
  *result_listener << arg.status();
  return arg.status().code() == code && pictory_jobs::Reason(arg.status()) == reason;
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : pictory_jobs::FieldViolations(status)) {
    fields.push_back(violation.field + ": " + violation.description);
  }
  return fields;
}

TEST_F(Contract, Case02_TheKeyIsSentAsItIs) {
  OnJob("a", {Json(200, R"({"job_id":"a","success":true,"data":{"preview":"https://p"}})")});
  Done(Preview("a"));
  const auto requests = pictory_.Received();
  ASSERT_THAT(requests, SizeIs(2));  // the paid call and the poll
  for (const ReceivedRequest& request : requests) {
    EXPECT_EQ(request.HeaderValues("authorization"), "pictai_k");
    EXPECT_THAT(request.head, Not(HasSubstr("Bearer")));
    EXPECT_EQ(request.HeaderCount("x-pictory-user-id"), 0);
    EXPECT_EQ(request.HeaderValues("accept"), "application/json");
  }
}

TEST_F(Contract, Case04_ARefusedKeyIsNeitherRetriedNorTheEndOfTheRequest) {
  pictory_.On(kPreviewCall, {Json(401, R"({"message":"Unauthorized"})"),
                             Json(200, R"({"success":true,"data":{"jobId":"a"}})")});
  pictory_jobs::CreatePreviewRequest request = FromTemplate();
  request.set_request_id("once");
  EXPECT_THAT(Api().CreatePreview(request),
              FailsWith(absl::StatusCode::kFailedPrecondition, "UPSTREAM_CREDENTIALS"));
  EXPECT_EQ(pictory_.Count(kPreviewCall), 1);
  // The operator sets a valid key; the same request_id runs.
  OnJob("a", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  const auto job = Api().CreatePreview(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "a");
  EXPECT_EQ(pictory_.Count(kPreviewCall), 2);
}

TEST_F(Contract, Case05_TheBotFiltersPageIsARefusalInWords) {
  const std::string page =
      "<!DOCTYPE html><title>Blocked</title>error code: 1010" + std::string(100'000, '<');
  pictory_.On(kPreviewCall, {Html(403, page)});
  const auto refused = Api().CreatePreview(FromTemplate());
  EXPECT_THAT(refused, FailsWith(absl::StatusCode::kPermissionDenied, "UPSTREAM_FORBIDDEN"));
  const std::string message(refused.status().message());
  EXPECT_THAT(message, AllOf(HasSubstr("Cloudflare"), Not(HasSubstr("<"))));
  EXPECT_LT(message.size(), 1000u);
  // A poll that meets it says nothing of the job.
  OnJob("r",
        {Html(403, page), Json(200, R"({"data":{"status":"completed","videoURL":"https://v"}})")});
  EXPECT_EQ(Done(Render("r")).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Contract, Case06_AStoryboardBecomesAPreview) {
  pictory_.On(kPreviewCall, {Json(200, R"({"success":true,"data":{"jobId":"a"}})")});
  OnJob("a", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  pictory_jobs::CreatePreviewRequest request;
  v1::Storyboard& storyboard = *request.mutable_storyboard();
  storyboard.set_video_name("My video");
  storyboard.set_video_width(1080);
  storyboard.set_video_height(1920);
  v1::Scene& scene = *storyboard.add_scenes();
  scene.set_story("Grüße \"von\" hier.");
  scene.set_create_scene_on_new_line(false);
  const auto job = Api().CreatePreview(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "a");
  EXPECT_EQ(job->kind(), v1::JOB_KIND_PREVIEW);
  const auto sent = pictory_.Received(kPreviewCall);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].HeaderValues("content-type"), "application/json");
  EXPECT_TRUE(SameJson(sent[0].body, R"({"videoName":"My video","videoWidth":1080,
      "videoHeight":1920,"scenes":[{"story":"Grüße \"von\" hier.","createSceneOnNewLine":false}]})"))
      << sent[0].body;
}

TEST_F(Contract, Case10_ARenderOfAPreviewIsAJobOfItsOwn) {
  OnJob("a",
        {Json(200, R"({"success":true,"data":{"status":"completed","renderParams":{"o":1}}})")});
  const Job preview = Done(Preview("a"));
  ASSERT_EQ(preview.state(), v1::JOB_STATE_SUCCEEDED);
  pictory_.On("PUT /v2/video/render/a", {Json(200, R"({"success":true,"data":{"jobId":"b"}})")});
  OnJob("b", {Json(200, R"({"data":{"status":"completed","videoURL":"https://v/b.mp4"}})")});
  const int polls_of_a = Polls("a");
  pictory_jobs::RenderRequest request;
  request.set_preview_job_id(preview.job_id());
  const auto render = Api().Render(request);
  ASSERT_TRUE(render.ok()) << render.status();
  EXPECT_EQ(render->pictory_job_id(), "b");
  EXPECT_NE(render->job_id(), preview.job_id());
  EXPECT_EQ(Done(*render).render().video_url(), "https://v/b.mp4");
  EXPECT_EQ(Polls("a"), polls_of_a);
  ASSERT_EQ(pictory_.Count("PUT /v2/video/render/a"), 1);
  EXPECT_EQ(pictory_.Received("PUT /v2/video/render/a")[0].body, "{}");
}

TEST_F(Contract, Case12_WrongFieldsAreNamed) {
  pictory_.On(kPreviewCall, {Json(400, R"({"code":"INVALID_REQUEST_BODY","message":"m",)"
                                       R"("fields":[{"name":"scenes","errors":"e"}]})")});
  const auto refused = Api().CreatePreview(FromTemplate());
  EXPECT_THAT(refused, FailsWith(absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID"));
  EXPECT_THAT(Fields(refused.status()), ElementsAre("scenes: e"));
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("m"), HasSubstr("scenes: e")));
  // Without a template the missing scenes are found here, before anything is sent.
  const auto ours = Api().CreatePreview(PreviewOf(R"({"videoName":"demo"})"));
  EXPECT_THAT(ours, FailsWith(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST"));
  EXPECT_THAT(Fields(ours.status()), ElementsAre("storyboard_json.scenes: is required"));
  EXPECT_EQ(pictory_.Count(kPreviewCall), 1);
}

TEST_F(Contract, Case13_WrongFieldsInOtherShapes) {
  pictory_.On(kPreviewCall, {Json(400, R"({"code":"INVALID_REQUEST_BODY","message":"m",)"
                                       R"("fields":[{"name":"scenes","errors":["e1","e2"]}]})"),
                             Json(400, R"({"code":"INVALID_REQUEST_BODY","message":"m"})")});
  const auto list = Api().CreatePreview(FromTemplate());
  EXPECT_THAT(list, FailsWith(absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID"));
  EXPECT_THAT(Fields(list.status()), ElementsAre("scenes: e1; e2"));
  const auto none = Api().CreatePreview(FromTemplate());
  EXPECT_THAT(none, FailsWith(absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID"));
  EXPECT_THAT(Fields(none.status()), IsEmpty());
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("m"));
}

TEST_F(Contract, Case14_PairsThatDoNotGoTogetherAreRefusedHere) {
  for (const char* members : {R"("brandId":"1","brandName":"n")", R"("videoWidth":1080)"}) {
    const auto raw = Api().CreatePreview(
        PreviewOf(R"({"videoName":"demo","scenes":[{"story":"s"}],)" + std::string(members) + "}"));
    EXPECT_THAT(raw, FailsWith(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST")) << members;
    EXPECT_THAT(Fields(raw.status()), SizeIs(1)) << members;
  }
  pictory_jobs::CreatePreviewRequest typed;
  typed.mutable_storyboard()->set_video_name("demo");
  typed.mutable_storyboard()->add_scenes()->set_story("s");
  typed.mutable_storyboard()->set_brand_id("1");
  typed.mutable_storyboard()->set_brand_name("n");
  EXPECT_THAT(Api().CreatePreview(typed),
              FailsWith(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST"));
  EXPECT_THAT(pictory_.Received(), IsEmpty());
  // Where only Pictory can know, its answer comes back in the same form.
  pictory_.On(kPreviewCall, {Json(400, R"({"code":"INVALID_REQUEST_BODY","message":"m",)"
                                       R"("fields":[{"name":"brandName","errors":"e"}]})")});
  const auto theirs = Api().CreatePreview(FromTemplate());
  EXPECT_THAT(Fields(theirs.status()), ElementsAre("brandName: e"));
}

TEST_F(Contract, Case15_AMisspeltFieldIsNotSentToBeDropped) {
  const std::string body =
      R"({"videoName":"demo","scenes":[{"story":"s"}],"subtitelStyle":{"color":"#fff"}})";
  const auto refused = Api().CreatePreview(PreviewOf(body));
  EXPECT_THAT(refused, FailsWith(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("subtitleStyle"));
  EXPECT_THAT(pictory_.Received(), IsEmpty());

  pictory_.On(kPreviewCall, {Json(200, R"({"success":true,"data":{"jobId":"a"}})")});
  OnJob("a", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  pictory_jobs::CreatePreviewRequest wanted = PreviewOf(body);
  wanted.set_allow_unknown_fields(true);
  EXPECT_TRUE(Api().CreatePreview(wanted).ok());
  EXPECT_EQ(pictory_.Received(kPreviewCall)[0].body, body);
}

// Whatever leaves it open whether Pictory took the job: OK, UNCONFIRMED, one POST.
TEST_F(Contract, Case41_AnUnconfirmedSubmitIsNeverSentAgain) {
  const std::vector<std::pair<const char*, Answer>> answers = {
      {"500", Json(500, R"({"message":"Internal Server Error"})")},
      {"a proxy's page", Html(502, "<html>Bad gateway</html>")},
      {"gateway timeout", Html(504, "")},
      {"reset", ResetAfterReading()},
      {"cut", CutShort(R"({"success":true,"data":{"jobId":"a"}})")}};
  int posts = 0;
  for (const auto& [what, answer] : answers) {
    SCOPED_TRACE(what);
    pictory_.On(kPreviewCall, {answer});
    pictory_jobs::CreatePreviewRequest request = FromTemplate();
    request.set_request_id("doubt-" + std::to_string(++posts));
    const auto job = Api().CreatePreview(request);
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
    EXPECT_EQ(job->pictory_job_id(), "");
    EXPECT_THAT(job->message(), HasSubstr("Do not resubmit"));
    const auto again = Api().CreatePreview(request);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->job_id(), job->job_id());
    EXPECT_EQ(pictory_.Count(kPreviewCall), posts);
  }
}

// The gateway waits 30 s for such an answer; here the same code does, with less patience.
TEST_F(Contract, Case41_SilenceAfterSendingIsUnconfirmedToo) {
  pictory_.On(kPreviewCall,
              {[](ScriptedConnection& connection, const ReceivedRequest&) { connection.Hold(); }});
  http::CurlTransportOptions options;
  options.base_url = pictory_.base_url();
  options.allow_plain_http = true;
  auto transport = http::CurlTransport::Create(options);
  ASSERT_TRUE(transport.ok()) << transport.status();
  http::Request request;
  request.lane = http::Lane::kPaid;
  request.method = "POST";
  request.path = "/v2/video/storyboard";
  request.headers = {{"Authorization", kKey}};
  request.body = std::make_shared<const std::string>("{}");
  request.timeout = std::chrono::milliseconds(50);
  std::promise<http::Response> answered;
  (*transport)->Start(request, [&](http::Response response) { answered.set_value(response); });
  const http::Response response = answered.get_future().get();
  EXPECT_EQ(response.outcome, http::Response::Outcome::kUnknown);
  EXPECT_EQ(pictory::ReadSubmitReply(response, WallTime{}).outcome,
            pictory::SubmitReply::Outcome::kUnknown);
  EXPECT_EQ(pictory_.Count(kPreviewCall), 1);
}

TEST_F(Contract, Case42_AcceptedWithoutAnIdIsUnconfirmed) {
  pictory_.On(kPreviewCall, {Json(200, R"({"success":true,"data":{}})")});
  pictory_jobs::CreatePreviewRequest request = FromTemplate();
  request.set_request_id("no-id");
  const auto job = Api().CreatePreview(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(Api().CreatePreview(request)->job_id(), job->job_id());
  EXPECT_EQ(pictory_.Count(kPreviewCall), 1);
}

TEST_F(Contract, Case43_SuccessFalseIsARefusalWhateverTheStatus) {
  pictory_.On(kPreviewCall, {Json(200, R"({"success":false,"data":{"error_code":"STORY_TOO_ODD",)"
                                       R"("error_message":"odd story"}})")});
  pictory_jobs::CreatePreviewRequest request = FromTemplate();
  request.set_request_id("odd");
  const auto refused = Api().CreatePreview(request);
  EXPECT_THAT(refused, FailsWith(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED"));
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("odd story"), HasSubstr("STORY_TOO_ODD")));
  // Repeating it asks nobody again, and no job came of it.
  EXPECT_EQ(Api().CreatePreview(request).status(), refused.status());
  EXPECT_EQ(pictory_.Count(kPreviewCall), 1);
  pictory_jobs::JobList jobs = Api().List();
  EXPECT_TRUE(jobs.begin() == jobs.end());
}

TEST_F(Contract, Case44_IdsAreOpaqueAndNeverLeaveTheirPathSegment) {
  pictory_.On(kPreviewCall, {Json(200, R"({"success":true,"data":{"jobId":"53g4-x/...?"}})")});
  OnJob("53g4-x%2F...%3F",
        {Json(200, R"({"success":true,"data":{"status":"completed","renderParams":{"o":1}}})")});
  const auto job = Api().CreatePreview(FromTemplate());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "53g4-x/...?");
  EXPECT_EQ(Done(*job).state(), v1::JOB_STATE_SUCCEEDED);
  // Pictory's own id names the job too, and goes encoded into the next path.
  EXPECT_EQ(Api().Get("53g4-x/...?")->job_id(), job->job_id());
  pictory_.On(
      "PUT /v2/video/render/53g4-x%2F...%3F",
      {Json(200, R"({"success":true,"data":{"jobId":"..","job_id":"84d1dd79-f2fe-53g4"}})")});
  OnJob("84d1dd79-f2fe-53g4",
        {Json(200, R"({"data":{"status":"completed","videoURL":"https://v"}})")});
  pictory_jobs::RenderRequest render;
  render.set_preview_job_id("53g4-x/...?");
  const auto rendered = Api().Render(render);
  ASSERT_TRUE(rendered.ok()) << rendered.status();
  EXPECT_EQ(Done(*rendered).state(), v1::JOB_STATE_SUCCEEDED);

  // A project comes from the caller. What no path segment can carry is refused before it is sent.
  pictory_.On("POST /v2/projects/a%2Fb/render",
              {Json(200, R"({"success":true,"data":{"jobId":"p"}})")});
  OnJob("p", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  pictory_jobs::RenderRequest project;
  project.set_project_id("a/b");
  EXPECT_TRUE(Api().Render(project).ok());
  for (const char* bad : {"..", ".", "", "../x", "a/../b", "a b\r\nX-Injected: 1", "a\x7f"}) {
    project.set_project_id(bad);
    EXPECT_THAT(Api().Render(project),
                FailsWith(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST"))
        << bad;
  }
}

TEST_F(Contract, Case45_ATranscriptionOfAUrlSendsNothingElse) {
  pictory_.On("POST /v2/transcription", {Json(200, R"({"success":true,"data":{"jobId":"t"}})")});
  OnJob("t", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  pictory_jobs::TranscribeRequest request;
  request.set_file_url("https://media.example.com/talk.mp4");
  const auto job = Api().Transcribe(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->pictory_job_id(), "t");
  EXPECT_EQ(pictory_.Received("POST /v2/transcription")[0].body,
            R"({"fileUrl":"https://media.example.com/talk.mp4"})");
}

TEST_F(Contract, Case46_ATranscriptGoesBackAsItCame) {
  const std::string transcript =
      R"([{"uid":"s1", "speakerId":"", "words":[{"uid":"w1","word":"Gr\u00fc\u00dfe","start_time":0.10,)"
      R"("end_time":4.8e-1,"sentence_index":0,"new_key":[1e3,null]}]}])";
  OnJob("t",
        {Json(200, R"({"success":true,"data":{"transcript":)" + transcript + R"(,"txt":"x"}})")});
  const Job done = Done(Transcription("t"));
  ASSERT_EQ(done.state(), v1::JOB_STATE_SUCCEEDED);
  const std::string read = Part(done, v1::RESULT_PART_TRANSCRIPT_JSON);
  EXPECT_EQ(read, transcript);

  pictory_.On("POST /v2/transcription/highlights",
              {Json(200, R"({"success":true,"data":{"jobId":"s"}})")});
  OnJob("s", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  pictory_jobs::SummarizeRequest request;
  request.set_transcript_json(read);
  request.set_highlight_duration_seconds(60);
  ASSERT_TRUE(Api().Summarize(request).ok());
  const std::string sent = pictory_.Received("POST /v2/transcription/highlights")[0].body;
  EXPECT_THAT(sent, HasSubstr(transcript));  // not a byte changed
  EXPECT_TRUE(SameJson(sent, R"({"transcript":)" + transcript + R"(,"highlight_duration":60})"))
      << sent;
}

TEST_F(Contract, Case48_ASummaryNeedsAFinishedTranscription) {
  OnJob("t", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  const Job transcription = Transcription("t");
  pictory_jobs::SummarizeRequest request;
  request.set_transcription_job_id(transcription.job_id());
  request.set_highlight_duration_seconds(30);
  EXPECT_THAT(Api().Summarize(request),
              FailsWith(absl::StatusCode::kFailedPrecondition, "JOB_NOT_FINISHED"));
  OnJob("t", {Json(200, R"({"success":true,"data":{"transcript":[{"words":[{"word":"a"}]}]}})")});
  ASSERT_EQ(Done(transcription).state(), v1::JOB_STATE_SUCCEEDED);

  // Pictory may still find it too early, in words nobody has written down.
  const char call[] = "POST /v2/transcription/t/highlights";
  pictory_.On(call, {Json(412, R"({"message":"not yet"})"), Json(400, R"({"reason":"not yet"})"),
                     Json(200, R"({"success":true,"data":{"jobId":"s"}})")});
  const auto refused = Api().Summarize(request);
  EXPECT_THAT(refused, FailsWith(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("not yet"));
  EXPECT_THAT(Api().Summarize(request),
              FailsWith(absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID"));
  OnJob("s", {Json(200, R"({"success":true,"data":{"status":"in-progress"}})")});
  EXPECT_TRUE(Api().Summarize(request).ok());
  EXPECT_EQ(pictory_.Received(call)[2].body, R"({"highlight_duration":30})");
}

TEST_F(Contract, Case58_TooFewCreditsAreNeverTriedAgain) {
  for (const int status : {400, 402, 403, 200}) {
    pictory_.On(kPreviewCall,
                {Json(status, R"({"success":false,"error":{"error_code":)"
                              R"("INSUFFICIENT_CREDITS","error_message":"none left"}})")});
    const int before = pictory_.Count(kPreviewCall);
    const auto refused = Api().CreatePreview(FromTemplate());
    EXPECT_THAT(refused, FailsWith(absl::StatusCode::kResourceExhausted, "UPSTREAM_CREDITS"));
    EXPECT_EQ(pictory_jobs::RetryDelay(refused.status()), std::nullopt);
    EXPECT_EQ(pictory_.Count(kPreviewCall), before + 1);
  }
  OnJob("r", {Json(200, R"({"success":false,"data":{"status":"failed",)"
                        R"("error_code":"INSUFFICIENT_CREDITS","error_message":"none left"}})")});
  const Job failed = Done(Render("r"));
  EXPECT_EQ(failed.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(failed.error().code(), "INSUFFICIENT_CREDITS");
  EXPECT_EQ(failed.error().message(), "none left");
  EXPECT_EQ(pictory_.Count("POST /v2/video/storyboard/render"), 1);
}

}  // namespace
}  // namespace gateway::test
