// What becomes of Pictory's calls to the webhook, and of calls that are not Pictory's.
#include <gmock/gmock.h>

#include "admin/webhook_seal.h"
#include "contract/contract.h"

namespace gateway::test {
namespace {

using ::testing::Gt;
using namespace std::chrono_literals;

constexpr char kFailed[] =
    R"({"job_id":"r","success":false,"data":{"status":"failed","error_code":"X"}})";
constexpr char kRenderCall[] = "POST /v2/video/storyboard/render";

// The path of the URL that the n-th submit gave Pictory.
std::string WebhookPath(const ScriptedPictory& pictory, std::size_t submit = 0) {
  const std::string body = pictory.Received(kRenderCall)[submit].body;
  const std::string key = R"("webhook":"http://127.0.0.1:)";
  const std::size_t port = body.find(key);
  EXPECT_NE(port, std::string::npos) << body;
  const std::size_t path = body.find('/', port + key.size());
  return body.substr(path, body.find('"', path) - path);
}

TEST_F(Contract, Case57_ACallbackIsBelievedOnlyAsFarAsGetJobConfirmsIt) {
  StartWithWebhooks();
  const Job job = Render("r");
  OnJob("r", {Json(200, kRunning), Json(200, kVideo)});
  ASSERT_EQ(Polls("r"), 0);
  EXPECT_EQ(CallBack(WebhookPath(pictory_), kFailed).status, 204);
  EXPECT_EQ(Watch(job, v1::JOB_STATE_RUNNING).state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Polls("r"), 1);
  // Twice, as it may come: the first is one poll, the second none, because the job has ended.
  for (int i = 0; i < 2; ++i) CallBack(WebhookPath(pictory_), kVideo);
  EXPECT_EQ(Done(job).state(), v1::JOB_STATE_SUCCEEDED);
  for (int i = 0; i < 2; ++i) CallBack(WebhookPath(pictory_), kFailed);
  const Job other = Render("o");
  OnJob("o", {Json(200, kVideo)});
  CallBack(WebhookPath(pictory_, 1), "{}");
  EXPECT_EQ(Done(other).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Polls("r"), 2);
  const auto still = Api().Get(job.job_id());
  ASSERT_TRUE(still.ok());
  EXPECT_EQ(still->state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Contract, Case57_HoweverOftenItComesThereIsOnePollInTwoSeconds) {
  StartWithWebhooks();
  Render("r");
  OnJob("r", {Json(200, kRunning)});
  const std::string path = WebhookPath(pictory_);
  int calls = 0;
  while (Polls("r") < 3) {
    ASSERT_EQ(CallBack(path, R"({"job_id":"r"})").status, 204);
    ++calls;
  }
  EXPECT_GT(calls, 100);
  const auto times = pictory_.Times("GET /v1/jobs/r");
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_THAT(times[i] - times[i - 1], Gt(1900ms));
}

TEST_F(Contract, Case57_StrangersChangeNothing) {
  StartWithWebhooks();
  const Job job = Render("r");
  const auto before = Api().Get(job.job_id());
  OnJob("r", {Json(200, kVideo)});
  const std::string path = WebhookPath(pictory_);
  const auto seal = admin::WebhookSeal::FromFile(state_dir() / "pictory" / "webhook.key");
  ASSERT_TRUE(seal.ok()) << seal.status();
  std::string wrong_mac = path;
  wrong_mac.back() = wrong_mac.back() == '0' ? '1' : '0';
  const std::string unknown = "/" + seal->Seal("00000000000000000000000000000000");
  for (const auto& [to, body] : {std::pair{wrong_mac, std::string(kVideo)},
                                 {unknown, kVideo},
                                 {std::string("/"), kVideo},
                                 {path.substr(0, path.find('.')), kVideo},
                                 {unknown, "\xff{"},
                                 {wrong_mac, std::string(100'000, '{')},
                                 {path, R"({"job_id":"of-somebody-else"})"}}) {
    const PlainReply reply = CallBack(to, body);
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.body, "");
  }
  // Callbacks are looked at in the order they come: had one been taken, it would show by now.
  const Job other = Render("o");
  OnJob("o", {Json(200, kVideo)});
  CallBack(WebhookPath(pictory_, 1), "not even JSON");
  EXPECT_EQ(Done(other).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Polls("r"), 0);
  EXPECT_EQ(pictory_.Count("GET /v1/jobs/of-somebody-else"), 0);
  const auto after = Api().Get(job.job_id());
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(after->revision(), before->revision());
}

TEST_F(Contract, Case57_AJobUnconfirmedIsResolvedByIt) {
  StartWithWebhooks();
  pictory_.On(kRenderCall, {ResetAfterReading()});
  pictory_jobs::RenderRequest request;
  request.mutable_storyboard()->set_video_name("demo");
  request.mutable_storyboard()->add_scenes()->set_story("Hello there.");
  const auto job = Api().Render(request);
  ASSERT_TRUE(job.ok()) << job.status();
  ASSERT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
  OnJob("r", {Json(200, kVideo)});
  EXPECT_EQ(CallBack(WebhookPath(pictory_), kVideo).status, 204);
  const Job resolved =
      Watch(*job, [](const Job& now) { return now.state() == v1::JOB_STATE_SUCCEEDED; });
  EXPECT_EQ(resolved.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(resolved.pictory_job_id(), "r");
  EXPECT_EQ(resolved.job_id(), job->job_id());
  EXPECT_EQ(pictory_.Count(kRenderCall), 1);
}

// No webhook call comes: the id stood in what came of the answer.
TEST_F(Contract, Case57_AJobUnconfirmedIsResolvedByTheIdInItsBrokenAnswer) {
  Start();
  pictory_.On(kRenderCall, {Json(502, R"({"message":"upstream","data":{"jobId":"made-1"}})"),
                            CutShort(R"({"success":true,"data":{"jobId":"made-2","more":")")});
  OnJob("made-1", {Json(200, kVideo)});
  OnJob("made-2", {Json(200, kVideo)});
  int number = 0;  // an id that stands in the request is no hint
  for (const char* id : {"made-1", "made-2"}) {
    pictory_jobs::RenderRequest request;
    request.mutable_storyboard()->set_video_name("demo " + std::to_string(++number));
    request.mutable_storyboard()->add_scenes()->set_story("Hello there.");
    const auto job = Api().Render(request);
    ASSERT_TRUE(job.ok()) << job.status();
    ASSERT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
    const Job resolved =
        Watch(*job, [](const Job& now) { return now.state() == v1::JOB_STATE_SUCCEEDED; });
    EXPECT_EQ(resolved.state(), v1::JOB_STATE_SUCCEEDED);
    EXPECT_EQ(resolved.pictory_job_id(), id);
  }
  EXPECT_EQ(pictory_.Count(kRenderCall), 2);
}

}  // namespace
}  // namespace gateway::test
