// Finished jobs: every shape a result has been seen or may be feared to have.
#include <gmock/gmock.h>

#include "contract/contract.h"

namespace gateway::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// A v1 preview's parameters, with what any rewriting would lose.
constexpr char kRenderParams[] =
    R"({"audio":{"track_volume":0.30000000000000004,"tts":null}, "output":{"width":1920},)"
    R"("scenes":[{"background":{"src":[{"asset_id":237432,"resource_id":"getty-1"},)"
    R"({"asset_id":"237432","resource_id":18446744073709551616}]},"text":"<strong>a<\/strong>"}],)"
    R"("next_generation_video":true,"containsTextToImage":true})";

TEST_F(Contract, Case19_AnOldPreviewWithoutAStatusIsDone) {
  OnJob("a", {Json(200, R"({"success":true,"job_id":"a","data":{"renderParams":)" +
                            std::string(kRenderParams) + R"(,"preview":"https://p/a"}})")});
  const Job job = Done(Preview("a"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.preview().preview_url(), "https://p/a");
  EXPECT_EQ(job.progress_percent(), 100);
  EXPECT_EQ(Part(job, v1::RESULT_PART_RENDER_PARAMS_JSON), kRenderParams);
}

TEST_F(Contract, Case20_APreviewOfToday) {
  const std::string data =
      R"({"status":"completed","renderParams":{"output":{},"elements":[{"id":"bgMusic"}]},)"
      R"("storyboard":{"videoName":"demo","scenes":[]},"previewUrl":"https://p/a"})";
  OnJob("a", {Json(200, R"({"job_id":"a","success":true,"data":)" + data + "}")});
  const Job job = Done(Preview("a"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.preview().preview_url(), "https://p/a");
  EXPECT_THAT(job.omitted_parts(), Contains(v1::RESULT_PART_RENDER_PARAMS_JSON));
  EXPECT_EQ(Part(job, v1::RESULT_PART_RESULT_JSON), data);
  const Job full = Full(job);
  EXPECT_EQ(full.preview().render_params_json(), R"({"output":{},"elements":[{"id":"bgMusic"}]})");
  EXPECT_EQ(full.preview().storyboard_json(), R"({"videoName":"demo","scenes":[]})");
}

TEST_F(Contract, Case21_AFinishedRender) {
  OnJob("r",
        {Json(200, R"({"job_id":"r","success":true,"data":{"status":"completed","progress":100,)"
                   R"("videoURL":"https://v/r.mp4","videoShareURL":"https://video.pictory.ai/r",)"
                   R"("thumbnail":"https://v/r.jpg","audioURL":"https://v/r.mp3",)"
                   R"("srtFile":"https://v/r.srt","vttFile":"https://v/r.vtt",)"
                   R"("txtFile":"https://v/r.txt","videoDuration":65.6,"aiCreditsUsed":48}})")});
  const Job job = Done(Render("r"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  const v1::RenderResult& render = job.render();
  EXPECT_EQ(render.video_url(), "https://v/r.mp4");
  EXPECT_EQ(render.share_url(), "https://video.pictory.ai/r");
  EXPECT_EQ(render.thumbnail_url(), "https://v/r.jpg");
  EXPECT_EQ(render.audio_url(), "https://v/r.mp3");
  EXPECT_EQ(render.srt_url(), "https://v/r.srt");
  EXPECT_EQ(render.vtt_url(), "https://v/r.vtt");
  EXPECT_EQ(render.txt_url(), "https://v/r.txt");
  EXPECT_EQ(render.video_duration_seconds(), 65.6);
  EXPECT_EQ(job.credits_used(), 48);
}

TEST_F(Contract, Case22_TheOtherNameOfTheShareLink) {
  OnJob("r", {Json(200, R"({"data":{"status":"completed","videoURL":"https://v/r.mp4",)"
                        R"("shareVideoURL":"https://video.pictory.ai/r"}})")});
  EXPECT_EQ(Done(Render("r")).render().share_url(), "https://video.pictory.ai/r");
}

TEST_F(Contract, Case24_ADurationInQuotes) {
  OnJob("r",
        {Json(200,
              R"({"data":{"status":"completed","videoURL":"https://v","videoDuration":"65.6"}})")});
  EXPECT_EQ(Done(Render("r")).render().video_duration_seconds(), 65.6);
  OnJob("q",
        {Json(200,
              R"({"data":{"status":"completed","videoURL":"https://v","videoDuration":"8s"}})")});
  const Job odd = Done(Render("q"));
  EXPECT_EQ(odd.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_FALSE(odd.render().has_video_duration_seconds());
}

constexpr char kWords[] =
    R"([{"uid":"s1","speakerId":1,"words":[{"uid":"w1","word":"Once","start_time":0,"end_time":0.48,)"
    R"("speakerId":1,"sentence_index":0},{"uid":"w2","word":"","start_time":0.48,"end_time":0.9,)"
    R"("is_pause":true,"pause_size":"small"}]}])";

TEST_F(Contract, Case25_ATranscriptionWithoutAStatusIsDone) {
  OnJob("t",
        {Json(200, R"({"success":true,"job_id":"t","data":{"transcript":)" + std::string(kWords) +
                       R"(,"txt":"Once","srt":"1\n00:00:00,000 --> 00:00:00,480\nOnce\n",)"
                       R"("vtt":"WEBVTT\n","mediaInfo":{"duration":0.9}}})")});
  const Job job = Done(Transcription("t"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.transcription().txt(), "Once");
  EXPECT_EQ(job.transcription().srt(), "1\n00:00:00,000 --> 00:00:00,480\nOnce\n");
  EXPECT_EQ(Part(job, v1::RESULT_PART_TXT), "Once");
  EXPECT_EQ(Part(job, v1::RESULT_PART_VTT), "WEBVTT\n");
  EXPECT_EQ(Part(job, v1::RESULT_PART_TRANSCRIPT_JSON), kWords);
  EXPECT_EQ(Full(job).transcription().media_info_json(), R"({"duration":0.9})");
}

TEST_F(Contract, Case26_ATranscriptionWithAStatusAndWithoutAnId) {
  OnJob("t", {Json(200, R"({"success":true,"data":{"status":"completed","transcript":)" +
                            std::string(kWords) + "}}")});
  const Job job = Done(Transcription("t"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.pictory_job_id(), "t");
}

TEST_F(Contract, Case27_ATranscriptionInOldSpellings) {
  OnJob("t",
        {Json(200, R"({"success":true,"data":{"job_id":"t","transcript":[{"speakerId":"",)"
                   R"("word":[{"word":"Once","start_time":0,"end_time":0.5}]}],"txt":"Once"}})")});
  const Job job = Done(Transcription("t"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  const Job full = Full(job);
  ASSERT_THAT(full.transcription().transcript(), SizeIs(1));
  const v1::Sentence& sentence = full.transcription().transcript(0);
  EXPECT_FALSE(sentence.has_speaker_id());
  ASSERT_THAT(sentence.words(), SizeIs(1));
  EXPECT_EQ(sentence.words(0).word(), "Once");
  EXPECT_EQ(sentence.words(0).end_time(), 0.5);
}

TEST_F(Contract, Case28_WhatIsSpokenIsNoStatus) {
  OnJob("t", {Json(200, R"({"success":true,"data":{"transcript":[{"words":[{"word":"in-progress"},)"
                        R"({"word":"failed"}]}],"txt":"\"status\":\"in-progress\""}})")});
  const Job job = Done(Transcription("t"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Polls("t"), 1);
  EXPECT_EQ(job.transcription().txt(), R"("status":"in-progress")");
}

constexpr char kMarked[] =
    R"([{"words":[{"word":"One","start_time":0,"end_time":1,"highlight":true},)"
    R"({"word":"","start_time":1,"end_time":1.5,"is_pause":true,"highlight":true},)"
    R"({"word":"two","start_time":1.5,"end_time":2,"highlight":true},)"
    R"({"word":"three","start_time":2,"end_time":3}]},)"
    R"({"words":[{"word":"four","start_time":3,"end_time":4.5,"highlight":true}]}])";

TEST_F(Contract, Case29_PausesAreKeptButNotRead) {
  OnJob("s", {Json(200, R"({"success":true,"data":{"transcript":)" + std::string(kMarked) + "}}")});
  const Job job = Done(Summary("s"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.summary().summary_text(), "One two four");
  const Job full = Full(job);
  ASSERT_THAT(full.summary().transcript(), SizeIs(2));
  ASSERT_THAT(full.summary().transcript(0).words(), SizeIs(4));
  EXPECT_TRUE(full.summary().transcript(0).words(1).is_pause());
}

TEST_F(Contract, Case30_HighlightedWordsBecomeSegments) {
  OnJob("s", {Json(200, R"({"success":true,"data":{"transcript":)" + std::string(kMarked) + "}}")});
  const Job job = Done(Summary("s"));
  ASSERT_THAT(job.summary().segments(), SizeIs(2));
  const v1::Segment& first = job.summary().segments(0);
  EXPECT_EQ(first.start_seconds(), 0);
  EXPECT_EQ(first.end_seconds(), 2);
  EXPECT_EQ(first.text(), "One two");
  const v1::Segment& second = job.summary().segments(1);
  EXPECT_EQ(second.start_seconds(), 3);
  EXPECT_EQ(second.end_seconds(), 4.5);
  EXPECT_EQ(second.text(), "four");
  EXPECT_EQ(job.summary().summary_duration_seconds(), 3.5);
}

TEST_F(Contract, Case54_ATranscriptionOverFourMegabytes) {
  std::string transcript = "[";
  for (int i = 0; i < 60'000; ++i) {
    transcript += (i == 0 ? "" : ",") +
                  (R"({"uid":"sentence-of-a-very-long-talk-by-somebody-)" + std::to_string(i) +
                   R"(","speakerId":1,"words":[{"word":"word","start_time":1,"end_time":1.5}]})");
  }
  transcript += "]";
  ASSERT_GT(transcript.size(), 5u << 20);
  OnJob("t",
        {Json(200, R"({"success":true,"data":{"transcript":)" + transcript + R"(,"txt":"x"}})")});
  const Job job = Done(Transcription("t"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.transcription().txt(), "x");
  EXPECT_TRUE(Part(job, v1::RESULT_PART_TRANSCRIPT_JSON) == transcript);
  const Job full = Full(job);  // within what gRPC clients take by default
  EXPECT_EQ(full.transcription().txt(), "x");
  EXPECT_THAT(full.omitted_parts(), Contains(v1::RESULT_PART_TRANSCRIPT_JSON));
}

}  // namespace
}  // namespace gateway::test
