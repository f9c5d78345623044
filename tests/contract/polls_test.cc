// What each answer of Get Job makes of a job, as somebody who watches it sees it.
#include <gmock/gmock.h>

#include "contract/contract.h"
#include "contract/direct.h"
#include "jobs/advance.h"
#include "support/records.h"

namespace gateway::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = pictory::JobReply::Kind;
using namespace std::chrono_literals;

std::string Progress(const std::string& value) {
  return R"({"job_id":"r","success":true,"data":{"status":"in-progress","renderProgress":)" +
         value + R"(,"renderProgressMessage":"Generating video","renderState":"RUNNING"}})";
}

// A render that Pictory took at `now`.
jobs::JobRecord Accepted(WallTime now) {
  jobs::JobRecord record = test::RecordOf(jobs::SubmissionState::kAccepted, "j1", now);
  record.job.state = v1::JOB_STATE_RUNNING;
  record.job.revision = 2;
  return record;
}

TEST_F(Contract, Case16_RunningWithoutProgress) {
  OnJob("r", {Json(200, kRunning)});
  const Job job = Watch(Render("r"), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_FALSE(job.has_progress_percent());
  EXPECT_EQ(job.message(), "");
}

TEST_F(Contract, Case17_RenderProgress) {
  OnJob("r", {Json(200, Progress("42"))});
  const Job submitted = Render("r");
  const Job job = Watch(submitted, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(job.progress_percent(), 42);
  EXPECT_EQ(job.message(), "Generating video");
  OnJob("r", {Json(200, Progress("43"))});
  EXPECT_EQ(Watch(submitted, [](const Job& now) { return now.progress_percent() == 43; }).state(),
            v1::JOB_STATE_RUNNING);
}

TEST_F(Contract, Case18_OddProgressIsNoProgress) {
  OnJob("r",
        {Json(200, Progress("null")), Json(200, Progress("\"\"")), Json(200, Progress("null"))});
  const Job submitted = Render("r");
  const Job running = Watch(submitted, v1::JOB_STATE_RUNNING);
  EXPECT_FALSE(running.has_progress_percent());
  OnJob("r", {Json(200, Progress("\"42\""))});
  const Job some = Watch(submitted, [](const Job& now) { return now.has_progress_percent(); });
  EXPECT_EQ(some.progress_percent(), 42);
  OnJob("r", {Json(200, Progress("null")), Json(200, kVideo)});  // and is not forgotten either
  Watch(submitted, [](const Job& now) {
    EXPECT_GE(now.progress_percent(), 42);
    return false;
  });
}

TEST_F(Contract, Case23_ARenderWithoutItsVideoIsAskedAgain) {
  OnJob("r", {Json(200, R"({"success":true,"data":{"status":"completed"}})"),
              Json(200, R"({"success":true,"data":{"status":"completed","videoURL":null}})"),
              Json(200, R"({"success":true,"data":{"status":"completed","videoURL":""}})"),
              Json(200, kVideo)});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.render().video_url(), "https://v/r.mp4");
  EXPECT_EQ(Polls("r"), 4);
}

TEST_F(Contract, Case23_ARenderThatStaysWithoutItsVideoIsAskedForOnAndSaysSo) {
  const std::string without =
      R"({"success":true,"data":{"status":"completed","videoShareURL":"https://s"}})";
  OnJob("r", {Json(200, without)});
  const Job submitted = Render("r");
  const Job told = Watch(submitted, [](const Job& now) { return !now.message().empty(); });
  EXPECT_EQ(told.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(told.message(),
            "Pictory says completed, but gives no videoURL; the gateway goes on asking");

  const pictory::JobReply reply =
      DirectClient(pictory_.base_url()).GetJob("r", v1::JOB_KIND_RENDER);
  ASSERT_EQ(reply.kind, Kind::kIncomplete);
  const WallTime start{1000h};
  jobs::JobRecord record = Accepted(start);
  for (const auto after : {0h, 1h, 24h, 6 * 24h}) {
    record = jobs::Advance(record, reply, start + after).record;
    EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING) << after.count();
  }
  record = jobs::Advance(record, reply, start + 7 * 24h).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_EXPIRED);
  EXPECT_EQ(record.job.error_code, "RESULT_INCOMPLETE");

  OnJob("r", {Json(200, kVideo)});
  EXPECT_EQ(Done(submitted).message(), "");
}

TEST_F(Contract, Case23_NoKindOfJobIsDoneWithoutItsResult) {
  const std::string bare = R"({"success":true,"data":{"status":"completed"}})";
  const std::string done =
      R"({"success":true,"data":{"status":"completed","txt":"Hi","previewUrl":"https://p"}})";
  for (const char* id : {"p", "t", "s"}) OnJob(id, {Json(200, bare), Json(200, done)});
  for (const Job& submitted : {Preview("p"), Transcription("t"), Summary("s")}) {
    const Job job = Done(submitted);
    EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
    EXPECT_EQ(Part(job, v1::RESULT_PART_RESULT_JSON),
              R"({"status":"completed","txt":"Hi","previewUrl":"https://p"})");
  }
}

TEST_F(Contract, Case31_AFailureUnderHttp200) {
  OnJob("r",
        {Json(200, R"({"job_id":"r","success":false,"data":{"status":"failed",)"
                   R"("error_code":"TEXT_TO_VIDEO_FAILED","error_message":"no such voice"}})")});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.error().code(), "TEXT_TO_VIDEO_FAILED");
  EXPECT_EQ(job.error().message(), "no such voice");
  EXPECT_TRUE(job.has_finish_time());
  EXPECT_EQ(Polls("r"), 2);  // one to hear it, one to be sure
  LetOthersBePolled();
  EXPECT_EQ(Polls("r"), 2);
  EXPECT_TRUE(Api().Get(job.job_id()).ok());
}

TEST_F(Contract, Case32_AFailureInAnErrorObjectWithANumber) {
  OnJob("r", {Json(200, R"({"success":false,"error":{"error_message":"m","error_code":890}})")});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.error().code(), "890");
  EXPECT_EQ(job.error().message(), "m");
}

TEST_F(Contract, Case33_AFailureThatSuccessContradictsOrDoesNotMention) {
  int n = 0;
  for (const char* body : {R"({"success":true,"data":{"status":"failed","error_code":"X"}})",
                           R"({"data":{"status":"failed","error_code":"X"}})"}) {
    const std::string id = "r" + std::to_string(++n);
    OnJob(id, {Json(200, body)});
    const Job job = Done(Render(id));
    EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED) << body;
    EXPECT_EQ(job.error().code(), "X");
  }
}

// Both readings of an unknown job, asked for by a name that nobody here knows, and as one that
// Pictory has taken.
void UnknownJob(const Answer& answer, ScriptedPictory& pictory) {
  pictory.On("GET /v1/jobs/nobodys", {answer});
  DirectClient direct(pictory.base_url());
  const pictory::JobReply reply = direct.GetJob("nobodys", v1::JOB_KIND_RENDER);
  ASSERT_EQ(reply.kind, Kind::kNotFound) << reply.detail;
  // For a job that was taken it is a doubt first, then a flag, and an end only after a day.
  const WallTime taken{1000h};
  jobs::JobRecord record = Accepted(taken);
  WallTime now = taken + 1s;
  record = jobs::Advance(record, reply, now).record;
  EXPECT_EQ(record.not_found_count, 0);
  for (int i = 0; i < 5; ++i) record = jobs::Advance(record, reply, now += 3min).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(record.job.upstream_missing);
  record = jobs::Advance(record, reply, now + 24h).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_EXPIRED);
}

constexpr char kNoSuchJob[] =
    R"({"success":false,"data":{"error_code":"5000","error_message":"JOB_NOT_FOUND"}})";

TEST_F(Contract, Case34_AnUnknownJobUnderHttp404) {
  UnknownJob(Json(404, kNoSuchJob), pictory_);
  const auto found = Api().Get("nobodys");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound) << found.status();
  // Right after it was taken a job may not be known yet.
  OnJob("r", {Json(404, kNoSuchJob), Html(404, ""), Json(200, kVideo)});
  EXPECT_THAT(States(Render("r")), ::testing::Not(::testing::Contains(v1::JOB_STATE_FAILED)));
  EXPECT_EQ(Polls("r"), 3);
}

TEST_F(Contract, Case35_AnUnknownJobUnderHttp200) {
  UnknownJob(Json(200, kNoSuchJob), pictory_);
  const auto found = Api().Get("nobodys");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound) << found.status();
  OnJob("r", {Json(200, kNoSuchJob), Json(200, kNoSuchJob), Json(200, kVideo)});
  EXPECT_EQ(Done(Render("r")).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Polls("r"), 3);
}

TEST_F(Contract, Case36_CleanedIsAnEndButNoSuccess) {
  OnJob("r", {Json(200, R"({"success":true,"data":{"status":"cleaned"}})")});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_CLEANED);
  EXPECT_FALSE(job.has_render());
  EXPECT_FALSE(job.has_error());
  LetOthersBePolled();
  EXPECT_EQ(Polls("r"), 1);
}

TEST_F(Contract, Case37_PendingIsRunning) {
  OnJob("r", {Json(200, R"({"success":true,"data":{"status":"pending"}})")});
  EXPECT_EQ(Watch(Render("r"), v1::JOB_STATE_RUNNING).state(), v1::JOB_STATE_RUNNING);
}

TEST_F(Contract, Case38_AnUnknownStatusIsNeitherSuccessNorFailureAndIsTold) {
  OnJob("r",
        {Json(200, R"({"success":true,"data":{"status":"archived"}})"),
         Json(200, R"({"success":true,"data":null})"), Json(200, R"({"success":true,"data":{}})"),
         Json(200, R"({"success":true,"data":{"status":"canceled","videoURL":"https://no"}})")});
  const Job submitted = Render("r");
  const Job told = Watch(submitted, [](const Job& now) {
    return now.message().find("\"canceled\"") != std::string::npos;
  });
  EXPECT_EQ(told.state(), v1::JOB_STATE_QUEUED);
  EXPECT_THAT(told.message(), HasSubstr("the gateway goes on asking"));
  OnJob("r", {Json(200, kVideo)});
  EXPECT_EQ(Done(submitted).render().video_url(), "https://v/r.mp4");
  EXPECT_EQ(Done(submitted).message(), "");

  // The whole result beside a word that says nothing against it is the result.
  OnJob("done", {Json(200, R"({"data":{"status":"archived","videoURL":"https://v/r.mp4"}})")});
  EXPECT_EQ(Done(Render("done")).render().video_url(), "https://v/r.mp4");

  // Until the gateway stops asking, after 7 days.
  OnJob("q", {Json(200, R"({"success":true,"data":{"status":"archived"}})")});
  const pictory::JobReply reply =
      DirectClient(pictory_.base_url()).GetJob("q", v1::JOB_KIND_RENDER);
  EXPECT_EQ(reply.kind, Kind::kUnclear);
  jobs::JobRecord record =
      jobs::Advance(Accepted(WallTime{}), reply, WallTime(7 * 24h - 1s)).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(record.job.stale);
  record = jobs::Advance(record, reply, WallTime(7 * 24h)).record;
  EXPECT_EQ(record.job.state, v1::JOB_STATE_EXPIRED);
}

TEST_F(Contract, Case39_TooManyRequestsSilencesTheAccountAndHarmsNoJob) {
  OnJob("r",
        {Json(429, R"({"message":"Too Many Requests"})"),
         Json(429, R"({"message":"Too Many Requests"})", "Retry-After: 2\r\n"), Json(200, kVideo)});
  const Job submitted = Render("r");
  for (const v1::JobState state : States(submitted)) {
    EXPECT_TRUE(state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_SUCCEEDED) << state;
  }
  const auto times = pictory_.Times("GET /v1/jobs/r");
  ASSERT_EQ(times.size(), 3u);
  EXPECT_GE(times[1] - times[0], 1s);  // asked for nothing: a second all the same
  EXPECT_GE(times[2] - times[1], 2s);  // as asked
}

TEST_F(Contract, Case40_WhatSaysNothingOfTheJobIsAskedAgain) {
  OnJob("r", {Json(500, R"({"success":false,"data":{"status":"failed"}})"),
              Html(502, "<html>Bad gateway</html>"), Json(200, ""), CutShort(kVideo),
              Json(200, std::string(kVideo).substr(0, 50)), ResetAfterReading(),
              ResetAfterReading(), Json(200, kVideo)});
  const Job submitted = Render("r");
  for (const v1::JobState state : States(submitted)) {
    EXPECT_TRUE(state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_SUCCEEDED) << state;
  }
  EXPECT_EQ(Polls("r"), 8);
}

TEST_F(Contract, Case40_AnAnswerThatCannotBeReadIsTold) {
  OnJob("r", {Html(200, "<html><title>Maintenance</title></html>")});
  OnJob("q", {Json(400, R"({"code":"INVALID_REQUEST","message":"no such id"})")});
  const Job page = Render("r");
  const Job refused = Render("q");
  const auto told = [](const Job& now) { return !now.message().empty(); };
  EXPECT_THAT(Watch(page, told).message(),
              HasSubstr("HTTP 200 with a page that is not JSON (\"Maintenance\")"));
  EXPECT_THAT(Watch(refused, told).message(), HasSubstr("HTTP 400: INVALID_REQUEST: no such id"));
  for (const char* id : {"r", "q"}) OnJob(id, {Json(200, kVideo)});
  for (const Job& job : {page, refused}) EXPECT_EQ(Done(job).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Contract, Case31_AFailureUnderHttp400) {
  OnJob("r", {Json(400, R"({"success":false,"data":{"status":"failed","error_code":"X",)"
                        R"("error_message":"no"}})")});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.error().code(), "X");
  EXPECT_EQ(Polls("r"), 2);
}

// The server begins its answer only when the client that waited 50 ms has gone away.
TEST_F(Contract, Case40_AnAnswerThatTakesLongerIsToldApart) {
  OnJob("r", {[](ScriptedConnection& connection, const ReceivedRequest&) { connection.Hold(); }});
  DirectClient direct(pictory_.base_url());
  const auto reply = direct.Ask<pictory::JobReply>([](pictory::PictoryClient& client, auto done) {
    client.GetJob("r", v1::JOB_KIND_RENDER, 0, done, pictory::ReplySize::kSmall, 50ms);
  });
  EXPECT_EQ(reply.kind, Kind::kUnavailable);
  EXPECT_TRUE(reply.timed_out);
  OnJob("q", {ResetAfterReading()});
  EXPECT_FALSE(direct.GetJob("q", v1::JOB_KIND_RENDER).timed_out);
}

TEST_F(Contract, Case40_WatchersHearThatPictoryCannotBeAsked) {
  OnJob("r", {Html(502, "")});
  const Job submitted = Render("r");
  ASSERT_TRUE(pictory_.Await(1 + 5));  // the submit, and the polls: the fourth has been answered
  const auto now = Api().Get(submitted.job_id());
  ASSERT_TRUE(now.ok());
  EXPECT_TRUE(now->upstream_degraded());
  EXPECT_EQ(now->state(), v1::JOB_STATE_QUEUED);
  OnJob("r", {Json(200, kVideo)});
  EXPECT_FALSE(Done(submitted).upstream_degraded());
}

}  // namespace
}  // namespace gateway::test
