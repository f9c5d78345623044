// What hostile answers, networks and environments look like to those who use the gateway: a job in
// doubt or a job that goes on, never a wrong end, and nothing of the credentials anywhere else.
#include <gmock/gmock.h>

#include <cstdlib>

#include "contract/contract.h"
#include "support/hostile_bodies.h"
#include "support/peak_memory.h"

namespace gateway::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Hostile : public Contract {
 protected:
  // The job is told `answers`, then its video: it must come to that and to nothing else before.
  void ExpectToGoOnAfter(const std::string& id, std::vector<Answer> answers) {
    const int bad = static_cast<int>(answers.size());
    answers.push_back(
        Json(200, R"({"data":{"status":"completed","videoURL":"https://v/good.mp4"}})"));
    OnJob(id, std::move(answers));
    const Job submitted = Render(id);
    for (const v1::JobState state : States(submitted)) {
      EXPECT_TRUE(state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_SUCCEEDED) << state;
    }
    EXPECT_EQ(Done(submitted).render().video_url(), "https://v/good.mp4");
    EXPECT_EQ(Polls(id), bad + 1);
  }
};

constexpr char kSubmit[] = "POST /v2/video/storyboard/render";

pictory_jobs::RenderRequest SomeRender() {
  pictory_jobs::RenderRequest request;
  request.set_storyboard_json(R"({"videoName":"demo","scenes":[{"story":"s"}]})");
  return request;
}

Answer Flood(int megabytes) {
  return [megabytes](ScriptedConnection& connection, const ReceivedRequest&) {
    const std::string piece(1 << 20, ' ');
    connection.Send("HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < megabytes; ++i) connection.Send(piece);
    connection.Close();
  };
}

TEST_F(Hostile, PollsAreNotMisledByBrokenJson) {
  std::vector<Answer> answers;
  for (HostileBody& body : HostileBodies()) {
    if (body.json.size() < 2'000'000) answers.push_back(Json(200, std::move(body.json)));
  }
  ExpectToGoOnAfter("r", std::move(answers));
}

// An id that stands in one of them is asked about, and not believed before Pictory knows it.
TEST_F(Hostile, SubmitsAreUnconfirmedAfterBrokenJson) {
  OnJob("x", {Json(404, R"({"error_code":"5000","error_message":"JOB_NOT_FOUND"})")});
  int posts = 0;
  for (const HostileBody& body : HostileBodies()) {
    if (body.json.size() > 2'000'000) continue;
    pictory_.On(kSubmit, {Json(200, body.json)});
    const auto job = Api().Render(SomeRender());
    ASSERT_TRUE(job.ok()) << body.name << ": " << job.status();
    EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED) << body.name;
    EXPECT_EQ(pictory_.Count(kSubmit), ++posts) << body.name;
  }
}

// What is only odd is believed, at the first poll and the first submit.
TEST_F(Hostile, OddJsonIsReadAsOthersReadIt) {
  int number = 0;
  for (const OddBody& body : OddBodies()) {
    if (body.failed || body.json.size() > 1'000'000) continue;  // a larger one is asked for twice
    const std::string id = "r" + std::to_string(++number);
    OnJob(id, {Json(200, body.json)});
    EXPECT_EQ(Done(Render(id)).render().video_url(), "https://v/x.mp4") << body.name;
    EXPECT_EQ(Polls(id), 1) << body.name;
  }
  EXPECT_GT(number, 20);
  pictory_.On(kSubmit, {Json(200, GoodNewsWith(R"("a":"\ud83c")"))});
  const auto job = Api().Render(SomeRender());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job->pictory_job_id(), "x");
}

TEST_F(Hostile, AHundredMegabytesAreCutOffAndCostLittle) {
  Start([](app::Config& config) { config.max_job_reply_mib = 8; });
  const PeakMemory memory;
  // Read a little, then as far as the setting allows; then it is left alone and the job says why.
  OnJob("r", {Flood(100), Flood(100)});
  const Job waiting = Watch(Render("r"), [](const Job& seen) { return !seen.message().empty(); });
  EXPECT_EQ(waiting.state(), v1::JOB_STATE_RUNNING);
  EXPECT_THAT(waiting.message(), HasSubstr("max-job-reply-mib"));
  EXPECT_EQ(Polls("r"), 2);
  pictory_.On(kSubmit, {Flood(100)});
  const auto job = Api().Render(SomeRender());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
  if (PeakMemory::kTellsOurs) {
    EXPECT_LE(memory.GrowthBytes(), 32u << 20);
  }
}

TEST_F(Hostile, RedirectsAreFollowedByNobody) {
  ScriptedServer elsewhere([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, R"({"success":true,"data":{"jobId":"stolen"}})"));
  });
  const std::string to = "Location: " + elsewhere.url() + "/\r\n";
  ExpectToGoOnAfter("r", {Html(301, "", to), Html(302, "", to), Html(307, "", to)});
  for (const int status : {302, 307, 308}) {
    pictory_.On(kSubmit, {Html(status, "", to)});
    const auto job = Api().Render(SomeRender());
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->state(), v1::JOB_STATE_UNCONFIRMED);
  }
  EXPECT_EQ(elsewhere.connection_count(), 0);
}

TEST_F(Hostile, WhoCannotProveToBePictoryGetsNothing) {
  using Tls = ScriptedServer::Tls;
  for (const Tls tls : {Tls::kForLoopback, Tls::kForOtherHost, Tls::kExpired}) {
    ScriptedServer impostor(
        [](ScriptedConnection& connection, const ReceivedRequest&) {
          connection.Send(HttpReply(200, R"({"success":true,"data":{"jobId":"stolen"}})"));
        },
        tls);
    Start([&](app::Config& config) { config.base_url = impostor.url(); });
    const auto refused = Api().Render(SomeRender());
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(pictory_jobs::Reason(refused.status()), "UPSTREAM_UNREACHABLE");
    EXPECT_THAT(std::string(refused.status().message()),
                AllOf(HasSubstr("certificate"), Not(HasSubstr(kKey))));
    EXPECT_GE(impostor.connection_count(), 1);
    EXPECT_EQ(impostor.bytes_received(), 0u);
    Stop();
  }
}

TEST_F(Hostile, TheEnvironmentChoosesNoProxy) {
  ScriptedServer proxy([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, R"({"success":true,"data":{"jobId":"stolen"}})"));
  });
  constexpr const char* kNames[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                    "ALL_PROXY"};
  for (const char* name : kNames) setenv(name, proxy.url().c_str(), 1);
  // gRPC, unlike the gateway, asks the environment: the client's own way must stay open.
  setenv("no_grpc_proxy", "127.0.0.1", 1);
  ExpectToGoOnAfter("r", {});
  for (const char* name : kNames) unsetenv(name);
  unsetenv("no_grpc_proxy");
  EXPECT_EQ(proxy.connection_count(), 0);
}

}  // namespace
}  // namespace gateway::test
