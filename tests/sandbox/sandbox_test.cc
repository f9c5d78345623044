#include "sandbox/sandbox.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>
#include <vector>

#include "http/server.h"
#include "sandbox/embedded_media.h"
#include "sandbox/long_transcript.h"
#include "sandbox/rig.h"
#include "sandbox/transcript.h"

namespace gateway::sandbox {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SandboxTest : public Rig {
 protected:
  void SetUp() override { Start(); }
  std::string Path(const std::string& url) {
    const std::string origin = "http://localhost";
    EXPECT_THAT(url, StartsWith(origin + "/"));
    return url.substr(origin.size());
  }
};

TEST_F(SandboxTest, NamesItself) {
  EXPECT_NE(sandbox_->port(), 0);
  EXPECT_EQ(sandbox_->base_url(),
            "http://127.0.0.1:" + std::to_string(sandbox_->port()) + "/pictoryapis");
}

TEST_F(SandboxTest, TakesTheKeyRawAndOnlyTheRightOne) {
  const auto status = [&](const std::string& header) {
    return Api("GET", "/v1/quota", "", header).status;
  };
  EXPECT_EQ(status("Authorization: pictai_sandbox\r\n"), 200);
  EXPECT_EQ(status("Authorization: Bearer pictai_sandbox\r\n"), 401);
  EXPECT_EQ(status("Authorization: pictai_other\r\n"), 401);
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(Api("GET", "/v1/quota", "", "").body, R"({"message":"Unauthorized"})");
}

TEST_F(SandboxTest, WithoutAConfiguredKeyAnyButBadOnesDo) {
  options_.api_key.clear();
  Restart();
  const auto status = [&](const std::string& key) {
    return Api("GET", "/v1/quota", "", "Authorization: " + key + "\r\n").status;
  };
  EXPECT_EQ(status("pictai_anything"), 200);
  EXPECT_EQ(status("pictai_bad"), 401);
  EXPECT_EQ(status("pictai_"), 401);
  EXPECT_EQ(status("something"), 401);
}

TEST_F(SandboxTest, ABareScriptIsBlockedWithHtml) {
  test::PlainClient client(sandbox_->port());
  client.Send(
      "GET /pictoryapis/v1/quota HTTP/1.1\r\nHost: localhost\r\n"
      "User-Agent: Python-urllib/3.11\r\n" +
      std::string(kKey) + "\r\n");
  const test::PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.headers.at("content-type"), HasSubstr("text/html"));
  EXPECT_THAT(reply.body, HasSubstr("error code: 1010"));
}

TEST_F(SandboxTest, UnknownPathsAndMethods) {
  EXPECT_EQ(Api("GET", "/v2/nothing").status, 404);
  EXPECT_EQ(Api("GET", "/v2/video/storyboard").status, 405);
  EXPECT_EQ(Api("POST", "/v2/nothing", "{}", "").status, 401);
}

TEST_F(SandboxTest, APreviewGoesItsWay) {
  const std::string id = Submit("POST", "/v2/video/storyboard",
                                R"({"videoName":"My video","videoWidth":1080,"videoHeight":1920,
      "nonsense":1,"webhookInput":{"a":1},"backgroundMusic":{"enabled":true,"volume":0.5},
      "scenes":[{"story":"One two three.\nFour <b>five</b> six! Seven.","createSceneOnNewLine":true,
      "wrong":2}]})");
  EXPECT_EQ(Job(id).body,
            R"({"job_id":")" + id + R"(","success":true,"data":{"status":"in-progress"}})");
  clock_.Advance(1.9);
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  EXPECT_FALSE(Job(id).Has("data.renderProgress"));
  clock_.Advance(0.1);
  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.status"), "completed");
  EXPECT_EQ(done.TextAt("data.previewUrl"), "http://localhost/v2/preview/" + id);
  EXPECT_EQ(done.NumberAt("data.renderParams.output.width"), 1080);
  EXPECT_EQ(done.NumberAt("data.renderParams.output.height"), 1920);
  EXPECT_EQ(done.TextAt("data.storyboard.videoName"), "My video");
  EXPECT_FALSE(done.Has("data.storyboard.nonsense"));
  EXPECT_FALSE(done.Has("data.storyboard.scenes.0.wrong"));
  EXPECT_FALSE(done.Has("data.projectId"));

  const Value& elements = done.At("data.renderParams.elements");
  ASSERT_EQ(elements.Size(), 5u) << done.body;
  EXPECT_EQ(FindText(elements[0], "id"), "bgMusic");
  EXPECT_EQ(FindText(elements[1], "id"), "backgroundElement_0001");
  EXPECT_EQ(FindText(elements[2], "id"), "SceneText_0001");
  EXPECT_EQ(FindText(elements[4], "text"), "Four five six! Seven.");
  EXPECT_TRUE(elements[1]["asset_id"].IsInt());
  EXPECT_TRUE(elements[3]["asset_id"].IsString());
  EXPECT_TRUE(elements[1]["frame"].IsNull());
}

TEST_F(SandboxTest, APreviewOpensInABrowser) {
  const std::string id = Submit("POST", "/v2/video/storyboard",
                                R"({"videoName":"Page",
      "scenes":[{"story":"5 < 6 & \"so\" on."}]})");
  EXPECT_EQ(Raw("GET", "/v2/preview/" + id).status, 404);
  clock_.Advance(2);
  const test::PlainReply page = Raw("GET", Path(Job(id).TextAt("data.previewUrl")));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("5 &lt; 6 &amp; &quot;so&quot; on."));
  EXPECT_THAT(page.body, HasSubstr("<h1>Page"));
  EXPECT_EQ(Raw("GET", "/").status, 200);
}

TEST_F(SandboxTest, ARenderShowsProgressOnceStartedAndEndsPlayable) {
  const std::string preview = FinishedPreview();
  const std::string id = Submit("PUT", "/v2/video/render/" + preview);
  EXPECT_NE(id, preview);
  EXPECT_FALSE(Job(id).Has("data.renderProgress"));
  clock_.Advance(4.4);
  const JsonReply half = Job(id);
  EXPECT_EQ(half.TextAt("data.status"), "in-progress");
  EXPECT_EQ(half.NumberAt("data.renderProgress"), 50);
  EXPECT_EQ(half.TextAt("data.renderState"), "RUNNING");
  EXPECT_EQ(half.TextAt("data.renderProgressMessage"), "Generating video");
  clock_.Advance(3.6);

  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.status"), "completed");
  EXPECT_EQ(done.NumberAt("data.progress"), 100);
  EXPECT_FALSE(done.Has("data.aiCreditsUsed"));
  // Two scenes: six words, then four words that are given the shortest time.
  EXPECT_NEAR(done.NumberAt("data.videoDuration"), 2.4 + 2.0, 1e-9);
  EXPECT_EQ(Raw("GET", Path(done.TextAt("data.txtFile"))).body,
            "Time makes good bread every day.\nSo wait for it.\n");
  EXPECT_THAT(Raw("GET", Path(done.TextAt("data.srtFile"))).body,
              HasSubstr("2\n00:00:02,400 --> 00:00:04,400\nSo wait for it.\n"));
  EXPECT_THAT(Raw("GET", Path(done.TextAt("data.vttFile"))).body,
              AllOf(StartsWith("WEBVTT\n\n"), HasSubstr("00:00:02.400 --> 00:00:04.400")));
  EXPECT_EQ(done.TextAt("data.shareVideoURL"), done.TextAt("data.videoShareURL"));
}

TEST_F(SandboxTest, TheShareLinkIsAPageToBrowsersAndTheVideoToPrograms) {
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  clock_.Advance(8);
  const std::string link = Path(Job(id).TextAt("data.shareVideoURL"));
  const test::PlainReply page =
      Raw("GET", link, "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.at("vary"), "Accept");
  EXPECT_THAT(page.body, HasSubstr("<video controls"));
  for (const char* accept : {"", "Accept: */*\r\n", "Accept: application/json, */*\r\n"}) {
    const test::PlainReply video = Raw("GET", link, "", accept);
    EXPECT_EQ(video.headers.at("content-type"), "video/mp4") << accept;
    EXPECT_EQ(video.body, BuiltInClip()) << accept;
  }
}

TEST_F(SandboxTest, ServesMediaWithRanges) {
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.mp4").status, 404);
  clock_.Advance(8);
  const JsonReply done = Job(id);
  const std::string mp4 = Path(done.TextAt("data.videoURL"));
  const test::PlainReply whole = Raw("GET", mp4);
  EXPECT_EQ(whole.headers.at("content-type"), "video/mp4");
  EXPECT_EQ(whole.body, BuiltInClip());
  EXPECT_EQ(whole.body.substr(4, 4), "ftyp");
  const test::PlainReply part = Raw("GET", mp4, "", "Range: bytes=4-7\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "ftyp");
  const test::PlainReply head = Raw("HEAD", mp4);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(BuiltInClip().size()));
  const std::string jpg = Raw("GET", Path(done.TextAt("data.thumbnail"))).body;
  EXPECT_EQ(jpg.substr(0, 2), "\xff\xd8");
  EXPECT_EQ(Raw("GET", Path(done.TextAt("data.audioURL"))).headers.at("content-type"),
            "audio/mpeg");
  EXPECT_EQ(Raw("GET", "/media/" + id + "/../../etc/passwd").status, 404);
}

TEST(EmbeddedMediaTest, IsSmall) {
  EXPECT_LT(BuiltInClip().size() + BuiltInSound().size() + BuiltInThumbnail().size(), 100'000u);
  EXPECT_GT(BuiltInSound().size(), 1000u);
  // Fast start: the index comes before the media.
  EXPECT_LT(BuiltInClip().find("moov"), BuiltInClip().find("mdat"));
}

TEST_F(SandboxTest, RendersFromRenderParamsAsGiven) {
  const JsonReply preview = Job(FinishedPreview());
  std::string params = ToText(preview.At("data.renderParams"));
  const std::string id = Submit("POST", "/v2/video/render", params);
  clock_.Advance(8);
  EXPECT_NEAR(Job(id).NumberAt("data.videoDuration"), 4.4, 1e-9);
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.txt").body,
            "Time makes good bread every day.\nSo wait for it.\n");
  const JsonReply journal = Control("GET", "/journal");
  EXPECT_EQ(journal.TextAt("entries.1.body"), params);

  EXPECT_EQ(Api("POST", "/v2/video/render", R"({"renderParams":)" + params + "}").status, 400);
  EXPECT_EQ(Api("POST", "/v2/video/render", "{}").NumberAt("fields.1.name"), -1);
}

TEST_F(SandboxTest, RendersStraightFromAStoryboard) {
  const std::string id = Submit("POST", "/v2/video/storyboard/render",
                                R"({"videoName":"AI","scenes":[{"story":"Hello there.",
      "background":{"type":"image","aiVisual":{"prompt":"a loaf","model":"flux-schnell"}}}]})");
  clock_.Advance(8);
  EXPECT_EQ(Job(id).NumberAt("data.aiCreditsUsed"), 0.6);
}

TEST_F(SandboxTest, VisualsOfAStoryboardCostWhatTheStudioTakes) {
  const auto cost = [this](const std::string& scene) {
    const std::string id = Submit("POST", "/v2/video/storyboard/render",
                                  R"({"videoName":"AI","scenes":[)" + scene + "]}");
    clock_.Advance(60);
    return Job(id).NumberAt("data.aiCreditsUsed");
  };
  const auto background = [](const std::string& type, const std::string& more) {
    return R"({"story":"Hi.","background":{"type":")" + type +
           R"(","aiVisual":{"prompt":"a loaf")" + more + "}}}";
  };
  EXPECT_EQ(cost(background("image", "")), 2);
  EXPECT_EQ(cost(background("image", R"(,"model":"nanobanana-pro")")), 14);
  EXPECT_EQ(cost(background("video", "")), 8);
  EXPECT_EQ(cost(background("video", R"(,"model":"pixverse5.5","videoDuration":"10s")")), 16);
  EXPECT_EQ(cost(background("video", R"(,"model":"veo3.1","videoDuration":"6s")")), 120);
  EXPECT_EQ(cost(background("video", R"(,"model":"veo3.1_fast")")), 40);
  EXPECT_EQ(cost(R"({"story":"Hi.","elements":[{"type":"image","position":"top-left",
      "aiVisual":{"prompt":"a loaf","model":"flux-schnell"}}]},)" +
                 background("image", R"(,"model":"nanobanana")")),
            4.6);
}

TEST_F(SandboxTest, AnUnfinishedOrWrongPreviewCannotBeRendered) {
  const std::string preview =
      Submit("POST", "/v2/video/storyboard", R"({"videoName":"a","scenes":[{"story":"b"}]})");
  const JsonReply early = Api("PUT", "/v2/video/render/" + preview, "{}");
  EXPECT_EQ(early.status, 400);
  EXPECT_EQ(early.TextAt("code"), "JOB_NOT_COMPLETED");
  clock_.Advance(2);
  const std::string render = Submit("PUT", "/v2/video/render/" + preview, "{}");
  clock_.Advance(8);
  EXPECT_EQ(Api("PUT", "/v2/video/render/" + render).status, 400);
  EXPECT_EQ(Api("PUT", "/v2/video/render/nonsense").status, 404);
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 2u);
}

TEST_F(SandboxTest, SavesAndRendersProjects) {
  const std::string preview = FinishedPreview(R"(,"saveProject":true)");
  const JsonReply done = Job(preview);
  const std::string project = done.TextAt("data.projectId");
  ASSERT_NE(project, "");
  EXPECT_NE(project, preview);
  EXPECT_EQ(Raw("GET", Path(done.TextAt("data.projectUrl"))).status, 200);
  const std::string id = Submit("POST", "/v2/projects/" + project + "/render");
  EXPECT_EQ(Job(id).TextAt("data.status"), "pending");
  clock_.Advance(4);
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  clock_.Advance(4);
  EXPECT_EQ(Job(id).TextAt("data.status"), "completed");
  EXPECT_EQ(Api("POST", "/v2/projects/none/render").status, 404);
}

TEST_F(SandboxTest, ElementsCanBeChangedAndCountInTheRender) {
  const std::string preview = FinishedPreview();
  const std::string path = "/v2/video/storyboard/" + preview + "/elements";
  const JsonReply changed = Api("PUT", path,
                                R"([{"id":"SceneText_0002","elementType":"SceneText","type":"text",
      "startTime":2.4,"duration":5,"text":"Wait longer."}])");
  EXPECT_EQ(changed.status, 204);
  EXPECT_EQ(changed.body, "");
  EXPECT_EQ(Job(preview).TextAt("data.renderParams.elements.3.text"), "Wait longer.");
  const std::string id = Submit("PUT", "/v2/video/render/" + preview);
  clock_.Advance(8);
  EXPECT_NEAR(Job(id).NumberAt("data.videoDuration"), 7.4, 1e-9);

  const std::string all = R"("elementType":"SceneText","type":"text","startTime":2.4)";
  const JsonReply unknown =
      Api("PUT", path, R"([{"id":"SceneText_9999","duration":1,)" + all + "}]");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.TextAt("fields.0.name"), "[0].id");
  const JsonReply part = Api("PUT", path, R"([{"id":"SceneText_0002",)" + all + "}]");
  EXPECT_EQ(part.status, 400);
  EXPECT_EQ(part.TextAt("fields.0.name"), "[0].duration");
  EXPECT_EQ(Api("PUT", path, "{}").status, 400);
  EXPECT_EQ(Api("PUT", "/v2/video/storyboard/none/elements", "[]").status, 404);
}

TEST_F(SandboxTest, TranscribesWithTheBuiltInText) {
  const std::string id = Submit("POST", "/v2/transcription",
                                R"({"fileUrl":"https://files.test/a.mp4","webhook":null})");
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  clock_.Advance(3);
  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.status"), "completed");
  EXPECT_EQ(done.TextAt("job_id"), id);
  EXPECT_EQ(Raw("GET", Path(done.TextAt("data.editVideoUrl"))).status, 200);
  EXPECT_NEAR(done.NumberAt("data.mediaInfo.duration"), 60, 15);
  EXPECT_THAT(done.TextAt("data.txt"), HasSubstr("Good bread forgives."));
  EXPECT_THAT(done.TextAt("data.srt"), StartsWith("1\n00:00:00,200 --> "));
  EXPECT_THAT(done.TextAt("data.vtt"), StartsWith("WEBVTT\n\n"));
  EXPECT_EQ(done.TextAt("data.highlights.0.text").empty(), false);
  std::set<int> speakers;
  bool pause = false;
  double last_end = 0;
  for (const Value& item : done.At("data.transcript").GetArray()) {
    speakers.insert(item["speakerId"].GetInt());
    for (const Value& word : item["words"].GetArray()) {
      EXPECT_GE(word["start_time"].GetDouble(), last_end);
      last_end = word["end_time"].GetDouble();
      pause |= word.HasMember("is_pause") && Text(word["word"]).empty();
    }
  }
  EXPECT_EQ(speakers.size(), 2u);
  EXPECT_TRUE(pause);
}

double HighlightedSeconds(const Value& transcript) {
  double seconds = 0;
  for (const Value& item : transcript.GetArray()) {
    for (const Value& word : item["words"].GetArray()) {
      if (!FindBool(word, "highlight", false)) continue;
      seconds += word["end_time"].GetDouble() - word["start_time"].GetDouble();
    }
  }
  return seconds;
}

TEST_F(SandboxTest, HighlightsOfATranscriptionKeepToTheLengthAsked) {
  const std::string source =
      Submit("POST", "/v2/transcription", R"({"fileUrl":"https://files.test/a.mp4"})");
  const std::string path = "/v2/transcription/" + source + "/highlights";
  EXPECT_EQ(Api("POST", path, R"({"highlight_duration":20})").status, 400);
  clock_.Advance(3);
  const JsonReply transcription = Job(source);
  const std::string of_job = Submit("POST", path, R"({"highlight_duration":20,"language":"en"})");
  const std::string of_text = Submit("POST", "/v2/transcription/highlights",
                                     R"({"highlight_duration":20,"transcript":)" +
                                         ToText(transcription.At("data.transcript")) + "}");
  clock_.Advance(2);
  for (const std::string& id : {of_job, of_text}) {
    const JsonReply done = Job(id);
    EXPECT_EQ(done.TextAt("data.status"), "completed");
    const double seconds = HighlightedSeconds(done.At("data.transcript"));
    EXPECT_GT(seconds, 10);
    EXPECT_LE(seconds, 20);
    EXPECT_NE(done.TextAt("data.txt"), "");
    EXPECT_LT(done.TextAt("data.txt").size(), transcription.TextAt("data.txt").size());
  }
  EXPECT_EQ(Api("POST", path, R"({"highlight_duration":0})").TextAt("fields.0.name"),
            "highlight_duration");
  EXPECT_EQ(Api("POST", path, "{}").status, 200) << "of a job's transcript it picks a length";
  EXPECT_EQ(Api("POST", path, R"({"highlight_duration":20,"language":"en-US"})").status, 400);
  EXPECT_EQ(Api("POST", "/v2/transcription/none/highlights", "{}").status, 404);
}

TEST_F(SandboxTest, AGivenTranscriptComesBack) {
  const std::string id = Submit("POST", "/v2/transcription",
                                R"({"fileUrl":"http://localhost/a.mp3","mediaType":"audio",
      "transcript":[{"text":"Only these in-progress words","start":1,"end":3},
      {"uid":"x","speakerId":"","word":[
        {"uid":"w","word":"Hi","start_time":4,"end_time":5,"odd":1}]}]})");
  clock_.Advance(3);
  const JsonReply done = Job(id);
  EXPECT_EQ(done.TextAt("data.txt"), "Only these in-progress words\nHi\n");
  EXPECT_EQ(done.NumberAt("data.transcript.0.words.1.start_time"), 1.5);
  EXPECT_EQ(done.NumberAt("data.transcript.1.words.0.odd"), 1);
  EXPECT_EQ(done.TextAt("data.mediaInfo.mediaType"), "audio");
}

TEST_F(SandboxTest, FailuresComeAsHttp200) {
  const std::string id = Submit("POST", "/v2/video/storyboard", R"({"videoName":"a",
      "voiceOver":{"enabled":true,"aiVoices":[{"speaker":"Invalid Name"}]},
      "scenes":[{"story":"b"}]})");
  clock_.Advance(2);
  const JsonReply failed = Job(id);
  EXPECT_EQ(failed.status, 200);
  EXPECT_FALSE(failed.At("success").GetBool());
  EXPECT_EQ(failed.TextAt("data.status"), "failed");
  EXPECT_EQ(failed.TextAt("data.error_code"), "TEXT_TO_VIDEO_FAILED");
  EXPECT_THAT(failed.TextAt("data.error_message"), HasSubstr("Invalid Name"));
  EXPECT_EQ(Api("PUT", "/v2/video/render/" + id).TextAt("code"), "JOB_FAILED");
}

TEST_F(SandboxTest, MagicWordsMakeTrouble) {
  const auto preview = [&](const std::string& name) {
    return Submit("POST", "/v2/video/storyboard",
                  R"({"videoName":")" + name + R"(","scenes":[{"story":"b"}]})");
  };
  const std::string fail = preview("a sandbox-fail");
  const std::string credits = preview("sandbox-no-credits"), stuck = preview("sandbox-stuck b");
  const std::string slow = preview("sandbox-slow"), later = preview("sandbox-fail-render");
  const std::string incomplete = preview("sandbox-no-video");
  clock_.Advance(2);
  EXPECT_EQ(Job(fail).TextAt("data.error_code"), "TEXT_TO_VIDEO_FAILED");
  EXPECT_EQ(Job(credits).TextAt("data.error_code"), "INSUFFICIENT_CREDITS");
  EXPECT_EQ(Job(slow).TextAt("data.status"), "in-progress");
  EXPECT_EQ(Job(later).TextAt("data.status"), "completed");
  const std::string render = Submit("PUT", "/v2/video/render/" + later);
  const std::string hollow = Submit("PUT", "/v2/video/render/" + incomplete);
  clock_.Advance(18);
  EXPECT_EQ(Job(render).TextAt("data.status"), "failed");
  EXPECT_EQ(Job(hollow).TextAt("data.status"), "completed");
  EXPECT_FALSE(Job(hollow).Has("data.videoURL"));
  EXPECT_EQ(Job(slow).TextAt("data.status"), "completed");
  clock_.Advance(1e6);
  EXPECT_EQ(Job(stuck).TextAt("data.status"), "in-progress");
}

TEST_F(SandboxTest, UnknownJobs) {
  const JsonReply reply = Job("no%2Fsuch-job");
  EXPECT_EQ(reply.status, 404);
  EXPECT_FALSE(reply.At("success").GetBool());
  EXPECT_EQ(reply.TextAt("data.error_code"), "5000");
  EXPECT_EQ(reply.TextAt("data.error_message"), "JOB_NOT_FOUND");
  EXPECT_EQ(reply.TextAt("job_id"), "no/such-job");
}

TEST_F(SandboxTest, CleansFinishedJobsAnyNumberOfTimes) {
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  EXPECT_EQ(Api("DELETE", "/v1/jobs/" + id + "/clean").status, 400);
  clock_.Advance(8);
  EXPECT_EQ(Api("DELETE", "/v1/jobs/" + id + "/clean").body, R"({"success":true})");
  EXPECT_EQ(Api("DELETE", "/v1/jobs/" + id + "/clean").body, R"({"success":true})");
  EXPECT_EQ(Job(id).body,
            R"({"job_id":")" + id + R"(","success":true,"data":{"status":"cleaned"}})");
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.mp4").status, 404);
  EXPECT_EQ(Api("DELETE", "/v1/jobs/none/clean").status, 404);
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 3u);
}

TEST_F(SandboxTest, CleansByItselfWhenItIsTold) {
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  const std::string which = R"({"job":")" + id + R"("})";
  EXPECT_EQ(Control("POST", "/clean", which).status, 400) << "it has not ended";
  clock_.Advance(8);
  EXPECT_EQ(Control("POST", "/clean", which).status, 200);
  EXPECT_EQ(Job(id).TextAt("data.status"), "cleaned");
  EXPECT_EQ(Raw("GET", "/media/" + id + "/video.mp4").status, 404);
  EXPECT_EQ(Control("POST", "/clean", R"({"job":"none"})").status, 404);
  EXPECT_EQ(Control("POST", "/clean", "nothing").status, 400);
}

TEST_F(SandboxTest, ListsJobsNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 45; ++i) {
    ids.push_back(Submit("POST", "/v2/transcription", R"({"fileUrl":"https://files.test/a.mp4"})"));
  }
  clock_.Advance(3);
  std::vector<std::string> listed;
  std::string query, last_page;
  int pages = 0;
  do {
    const JsonReply page = Api("GET", "/v1/jobs" + query);
    ASSERT_EQ(page.status, 200) << page.body;
    last_page = page.body;
    for (const Value& item : page.At("items").GetArray()) {
      EXPECT_TRUE(item["success"].GetBool());
      EXPECT_EQ(FindText(item["data"], "status"), "completed");
      EXPECT_TRUE(item["data"].HasMember("transcript"));
      listed.emplace_back(FindText(item["data"], "jobId"));
    }
    std::string key = page.TextAt("nextPageKey");
    // base64, with the padding that has to be encoded.
    if (!key.empty()) {
      ASSERT_EQ(key.back(), '=');
      while (key.back() == '=') key.pop_back();
      key += "%3D";
    }
    query = key.empty() ? "" : "?nextPageKey=" + key;
    ++pages;
  } while (!query.empty() && pages < 10);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(last_page, HasSubstr(R"(,"nextPageKey":null})"));
  std::reverse(ids.begin(), ids.end());
  EXPECT_EQ(listed, ids);
  EXPECT_EQ(Api("GET", "/v1/jobs?nextPageKey=bm9uc2Vuc2U%3D").status, 400);
}

TEST_F(SandboxTest, ASinglePageHasNoKeyAtAll) {
  EXPECT_EQ(Api("GET", "/v1/jobs").body, R"({"items":[]})");
  FinishedPreview();
  EXPECT_THAT(Api("GET", "/v1/jobs").body, Not(HasSubstr("nextPageKey")));
}

TEST(SandboxJson, TakesEveryNumberThatIsJson) {
  const std::string many(400, '7');
  for (const std::string& number :
       {std::string("1e400"), std::string("-1e400"), many, "0." + many}) {
    std::string error;
    const auto body = ParseJson("{\"a\":" + number + "}", &error);
    ASSERT_NE(body, nullptr) << number << ": " << error;
    EXPECT_TRUE(ToNumber(Find(*body, "a")).has_value());
  }
  std::string error;
  EXPECT_EQ(ParseJson("[01e400]", &error), nullptr);
}

TEST_F(SandboxTest, AfterARestartLinksLeadWhereTheyLed) {
  KeepState();
  Start();
  const std::string id = FinishedPreview();
  const std::uint16_t port = sandbox_->port();
  Restart();
  EXPECT_EQ(sandbox_->port(), port);
  EXPECT_TRUE(sandbox_->lost_ports().empty());
  EXPECT_EQ(Raw("GET", "/v2/preview/" + id).status, 200);
}

TEST_F(SandboxTest, APortThatIsTakenMeanwhileIsTold) {
  KeepState();
  Start();
  const std::uint16_t port = sandbox_->port();
  sandbox_.reset();
  auto other = http::Server::Listen({.port = port});
  ASSERT_TRUE(other.ok()) << other.status();
  Start();
  EXPECT_NE(sandbox_->port(), port);
  EXPECT_EQ(sandbox_->lost_ports(), std::vector<std::uint16_t>{port});
  const std::uint16_t next = sandbox_->port();
  Restart();
  EXPECT_EQ(sandbox_->port(), next);  // which is what counts from then on
}

TEST_F(SandboxTest, TellsTheQuotaBare) {
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  const JsonReply quota = Api("GET", "/v1/quota");
  EXPECT_EQ(quota.NumberAt("videoMinutes.used"), 1);
  EXPECT_EQ(quota.NumberAt("videoMinutes.limit"), 14400);
  EXPECT_TRUE(quota.Has("aiCredits.limit"));
  EXPECT_FALSE(quota.Has("success"));
}

TEST_F(SandboxTest, AnswersTooManyRequestsOverTheRate) {
  options_.requests_per_second = 5;
  Restart();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Api("GET", "/v1/quota").status, 200);
  const JsonReply over = Api("GET", "/v1/quota");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.headers.at("retry-after"), "1");
  EXPECT_EQ(Api("GET", "/v1/quota", "", "").status, 401);
  clock_.Advance(0.2);
  EXPECT_EQ(Api("GET", "/v1/quota").status, 200);
  EXPECT_EQ(Api("GET", "/v1/quota").status, 429);
}

TEST_F(SandboxTest, SpeedScalesTime) {
  options_.speed = 100;
  Restart();
  const std::string id = Submit("PUT", "/v2/video/render/" + FinishedPreview());
  clock_.Advance(0.079);
  EXPECT_EQ(Job(id).TextAt("data.status"), "in-progress");
  clock_.Advance(0.001);
  EXPECT_EQ(Job(id).TextAt("data.status"), "completed");
}

TEST_F(SandboxTest, CountsRequestsAndPolls) {
  const std::string id = FinishedPreview();
  Job(id);
  Job(id);
  Job("none");
  Api("GET", "/v9/nothing");
  const JsonReply stats = Control("GET", "/stats");
  EXPECT_EQ(stats.At("requests")["POST /v2/video/storyboard"].GetInt(), 1);
  EXPECT_EQ(stats.At("requests")["GET /v1/jobs/{id}"].GetInt(), 3);
  EXPECT_EQ(stats.At("requests")["GET *"].GetInt(), 1);
  EXPECT_EQ(stats.At("polls")[id.c_str()].GetInt(), 2);
  EXPECT_FALSE(stats.At("polls").HasMember("none"));
  EXPECT_EQ(stats.At("statuses")["404"].GetInt(), 2);
  EXPECT_EQ(stats.At("callers")["key"].GetInt(), 5);
}

TEST_F(SandboxTest, ManyClientsAtOnceGetJobsOfTheirOwn) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> ids;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      test::PlainClient client(sandbox_->port());
      for (int i = 0; i < 25; ++i) {
        const std::string body = client
                                     .Call("POST", "/pictoryapis/v2/transcription/highlights",
                                           R"({"highlight_duration":5,"transcript":[{"text":"Hi",
                                           "start":0,"end":1}]})",
                                           kKey)
                                     .body;
        const std::lock_guard<std::mutex> lock(mutex);
        ids.insert(body);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ids.size(), 200u);
  EXPECT_EQ(Control("GET", "/journal").At("entries").Size(), 200u);
}

TEST_F(SandboxTest, IdsAreOpaqueAndSomeAreNotHex) {
  std::set<std::string> ids;
  bool odd = false;
  for (int i = 0; i < 30; ++i) {
    const std::string id =
        Submit("POST", "/v2/transcription", R"({"fileUrl":"https://files.test/a.mp4"})");
    EXPECT_EQ(id.size(), 36u);
    odd |= id.find_first_not_of("0123456789abcdef-") != std::string::npos;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 30u);
  EXPECT_TRUE(odd);
}

TEST(SandboxStartTest, RefusesNonsense) {
  SandboxOptions options;
  options.speed = 0;
  EXPECT_FALSE(Sandbox::Start(options).ok());
  options.speed = 1;
  options.requests_per_second = -1;
  EXPECT_FALSE(Sandbox::Start(options).ok());
  options.requests_per_second = 1;
  options.state_dir = "/proc/nowhere";
  EXPECT_FALSE(Sandbox::Start(options).ok());
}

TEST(SandboxStartTest, NamesThePortThatIsTaken) {
  SandboxOptions options;
  options.use_ffmpeg = false;
  const auto first = Sandbox::Start(options);
  ASSERT_TRUE(first.ok());
  options.port = (*first)->port();
  const auto second = Sandbox::Start(options);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("127.0.0.1:" + std::to_string(options.port)));
}

TEST_F(SandboxTest, ALongTalkGoesOnInTimeAndIsTheSameEachTime) {
  const std::string id = Submit("POST", "/v2/transcription",
                                R"({"fileUrl":"https://x.test/a-sandbox-minutes-30.mp4"})");
  clock_.Advance(10);
  const JsonReply long_one = Job(id);
  EXPECT_GT(long_one.body.size(), 500'000u);
  EXPECT_EQ(Job(id).body, long_one.body);
  ASSERT_TRUE(long_one.At("data.transcript").IsArray());
  double at = -1;
  std::set<std::string> uids;
  for (const Value& turn : long_one.At("data.transcript").GetArray()) {
    EXPECT_TRUE(uids.insert(turn["uid"].GetString()).second);
    for (const Value& word : turn["words"].GetArray()) {
      EXPECT_TRUE(uids.insert(word["uid"].GetString()).second);
      EXPECT_GT(word["start_time"].GetDouble(), at);
      at = word["start_time"].GetDouble();
    }
  }
  EXPECT_GT(long_one.NumberAt("data.mediaInfo.duration"), at);
  EXPECT_THAT(long_one.TextAt("data.srt"), StartsWith("1\n00:00:00,200 --> "));
  EXPECT_THAT(long_one.TextAt("data.vtt"), StartsWith("WEBVTT\n\n00:00:00.200 --> "));

  const std::string summary = Submit("POST", "/v2/transcription/" + id + "/highlights",
                                     R"({"highlight_duration":20,"language":"en"})");
  clock_.Advance(10);
  const JsonReply marked = Job(summary);
  EXPECT_EQ(marked.At("data.transcript").Size(), long_one.At("data.transcript").Size());
  EXPECT_THAT(marked.body, HasSubstr("\"highlight\":true"));
  EXPECT_LT(marked.TextAt("data.txt").size(), 1000u);
}

TEST(LongTranscripts, ArePiecesOfOneText) {
  const auto source =
      LongBody("<", std::make_shared<LongTranscript>(BuiltInTranscript(), 3, false), ">");
  http::BodySource& body = *source;
  std::string whole(body.size(), '\0');
  ASSERT_TRUE(body.Read(0, whole.data(), whole.size()));
  EXPECT_EQ(whole.front(), '<');
  EXPECT_EQ(whole.back(), '>');
  for (std::size_t count : {1u, 1000u, 30'000u}) {
    for (std::size_t at = 0; at + count <= whole.size(); at += count + 997) {
      std::string piece(count, '\0');
      ASSERT_TRUE(body.Read(at, piece.data(), count));
      ASSERT_TRUE(piece == whole.substr(at, count)) << at;
    }
  }
  char none;
  EXPECT_FALSE(body.Read(body.size(), &none, 1));
}

}  // namespace
}  // namespace gateway::sandbox
