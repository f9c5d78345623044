// Messages to JSON and back: the gateway's mapping, the same by hand, and protobuf's own json_util.
#include <benchmark/benchmark.h>
#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/transport.h"
#include "json/proto_writer.h"
#include "pictory/job_result.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"
#include "reference/bare_json.h"

namespace {

namespace v1 = pictory::jobs::v1;

constexpr int kScenes = 20;
constexpr std::size_t kTranscriptBytes = 1024 * 1024;

v1::Storyboard Story() {
  v1::Storyboard story;
  story.set_video_name("A typical video");
  for (int i = 0; i < kScenes; ++i) {
    v1::Scene& scene = *story.add_scenes();
    scene.set_story("Scene " + std::to_string(i) +
                    " says what happens next, in one or two sentences. They are of common length.");
    scene.set_create_scene_on_end_of_sentence(true);
    scene.set_highlight_keywords(i % 2 == 0);
    scene.set_minimum_duration(2.5 + i);
    scene.mutable_subtitle_style()->set_font_family("Lato");
    scene.mutable_subtitle_style()->set_font_size(32);
    scene.mutable_subtitle_style()->set_color("rgba(255,255,255,1)");
    scene.mutable_subtitle_style()->set_position("center-center");
    scene.mutable_background()->set_visual_url("https://media.example.com/clips/" +
                                               std::to_string(i) + ".mp4");
    scene.mutable_background()->set_type("video");
    scene.mutable_background()->mutable_settings()->set_mute(true);
  }
  story.set_aspect_ratio("16:9");
  story.set_language("en");
  story.set_save_project(false);
  story.mutable_voice_over()->set_enabled(true);
  v1::AiVoice& voice = *story.mutable_voice_over()->add_ai_voices();
  voice.mutable_speaker()->set_string_value("Jackson");
  voice.set_speed(100.5);
  voice.set_amplification_level(0.25);
  return story;
}

// Pictory's `data` of a transcription: sentences of ten words.
std::string Transcript() {
  std::string text = R"({"transcript":[)";
  for (int word = 0; text.size() < kTranscriptBytes; ++word) {
    const std::string number = std::to_string(word);
    if (word % 10 == 0) {
      text += (word == 0 ? R"({"uid":"s)" : R"(]},{"uid":"s)") + number +
              R"(","speakerId":1,"words":[)";
    } else {
      text += ',';
    }
    text += R"({"uid":"w)" + number + R"(","word":"word)" + std::to_string(word % 97) +
            R"(","start_time":)" + number + R"(.25,"end_time":)" + number +
            R"(.75,"speakerId":1,"sentence_index":)" + std::to_string(word / 10) + "}";
  }
  return text + R"(]}],"txt":"word"})";
}

std::string Body() { return R"({"success":true,"job_id":"j","data":)" + Transcript() + "}"; }

void Finish(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void WriteOurs(benchmark::State& state) {
  const v1::Storyboard story = Story();
  std::string text;
  for (auto _ : state) {
    text.clear();
    if (!gateway::json::WriteMessage(story, text).ok()) std::abort();
    benchmark::DoNotOptimize(text);
  }
  // A benchmark of two different texts would mean nothing.
  if (text != bench::WriteByHand(story)) {
    std::fputs("the writers disagree\n", stderr);
    std::abort();
  }
  Finish(state, text.size());
}
BENCHMARK(WriteOurs);

void WriteByHand(benchmark::State& state) {
  const v1::Storyboard story = Story();
  std::string text;
  for (auto _ : state) benchmark::DoNotOptimize(text = bench::WriteByHand(story));
  Finish(state, text.size());
}
BENCHMARK(WriteByHand);

void WriteJsonUtil(benchmark::State& state) {
  const v1::Storyboard story = Story();
  std::string text;
  for (auto _ : state) {
    text.clear();
    if (!google::protobuf::util::MessageToJsonString(story, &text).ok()) std::abort();
  }
  Finish(state, text.size());
}
BENCHMARK(WriteJsonUtil);

// With every word, as the FULL view has it.
void ReadOurs(benchmark::State& state) {
  const std::string data = Transcript();
  for (auto _ : state) {
    const auto job = gateway::pictory::ReadFullResult(data, v1::JOB_KIND_TRANSCRIPTION);
    if (!job.ok() || job->empty()) std::abort();
  }
  Finish(state, data.size());
}
BENCHMARK(ReadOurs)->Unit(benchmark::kMillisecond);

// As a poll's answer: the words are not in the view, and the parts are cut out.
void ReadWithoutWords(benchmark::State& state) {
  const std::string body = Body();
  for (auto _ : state) {
    state.PauseTiming();
    gateway::http::Response response;
    response.outcome = gateway::http::Response::Outcome::kComplete;
    response.status = 200;
    response.headers = {{"content-type", "application/json"}};
    response.body = body;
    state.ResumeTiming();
    const gateway::pictory::JobReply reply = gateway::pictory::ReadJobReply(
        std::move(response), v1::JOB_KIND_TRANSCRIPTION, 0, gateway::WallTime());
    if (reply.kind != gateway::pictory::JobReply::Kind::kSucceeded) std::abort();
  }
  Finish(state, body.size());
}
BENCHMARK(ReadWithoutWords)->Unit(benchmark::kMillisecond);

void ReadBare(benchmark::State& state) {
  const std::string data = Transcript();
  for (auto _ : state) {
    if (bench::ParseBare(data) == 0) std::abort();
  }
  Finish(state, data.size());
}
BENCHMARK(ReadBare)->Unit(benchmark::kMillisecond);

void ReadJsonUtil(benchmark::State& state) {
  const std::string data = Transcript();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  for (auto _ : state) {
    v1::TranscriptionResult result;
    if (!google::protobuf::util::JsonStringToMessage(data, &result, options).ok()) std::abort();
  }
  Finish(state, data.size());
}
BENCHMARK(ReadJsonUtil)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
