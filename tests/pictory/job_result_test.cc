#include "pictory/job_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/limits.h"
#include "pictory/bindings.h"
#include "pictory/job_reply.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct Stored {
  v1::Job job;  // BASIC
  std::map<v1::ResultPart, std::string> parts;
  v1::JobKind shown = v1::JOB_KIND_UNSPECIFIED;

  std::vector<int> Omitted() const {
    return {job.omitted_parts().begin(), job.omitted_parts().end()};
  }
};

Stored Finish(const std::string& data, v1::JobKind kind) {
  const JobReply reply = ReadJobReply(test::Reply(200, R"({"success":true,"data":)" + data + "}"),
                                      kind, 0, WallTime{});
  EXPECT_EQ(reply.kind, JobReply::Kind::kSucceeded) << data.substr(0, 200);
  Stored stored;
  stored.shown = reply.shown_kind;
  if (reply.result == nullptr) return stored;
  EXPECT_TRUE(stored.job.ParseFromString(reply.result->basic_wire));
  for (const JobResult::Part& part : reply.result->parts) stored.parts[part.part] = part.bytes;
  return stored;
}

absl::StatusOr<v1::Job> FullJob(const std::string& data, v1::JobKind kind) {
  const absl::StatusOr<std::string> wire = ReadFullResult(data, kind);
  if (!wire.ok()) return wire.status();
  v1::Job job;
  EXPECT_TRUE(job.ParseFromString(*wire));
  return job;
}

TEST(RenderResult, AllItsFields) {
  const std::string data =
      R"({"status":"completed","progress":100,"videoURL":"https://x/a.mp4","videoShareURL":"https://s","thumbnail":"https://t","audioURL":"https://a","srtFile":"https://srt","vttFile":"https://vtt","txtFile":"https://txt","videoDuration":65.6,"aiCreditsUsed":48})";
  const Stored stored = Finish(data, v1::JOB_KIND_RENDER);
  const v1::RenderResult& render = stored.job.render();
  EXPECT_EQ(render.video_url(), "https://x/a.mp4");
  EXPECT_EQ(render.share_url(), "https://s");
  EXPECT_EQ(render.thumbnail_url(), "https://t");
  EXPECT_EQ(render.audio_url(), "https://a");
  EXPECT_EQ(render.srt_url(), "https://srt");
  EXPECT_EQ(render.vtt_url(), "https://vtt");
  EXPECT_EQ(render.txt_url(), "https://txt");
  EXPECT_EQ(render.video_duration_seconds(), 65.6);
  EXPECT_TRUE(stored.Omitted().empty());
  EXPECT_EQ(stored.parts.size(), 1U);
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_RESULT_JSON), data);
}

TEST(RenderResult, OtherSpellings) {
  const Stored stored = Finish(
      R"({"status":"completed","videoURL":"https://x","shareVideoURL":"https://old","videoDuration":"65.6","srtFile":null,"new":{"x":1}})",
      v1::JOB_KIND_RENDER);
  EXPECT_EQ(stored.job.render().share_url(), "https://old");
  EXPECT_EQ(stored.job.render().video_duration_seconds(), 65.6);
  EXPECT_FALSE(Finish(R"({"videoURL":"https://x","videoDuration":"long"})", v1::JOB_KIND_RENDER)
                   .job.render()
                   .has_video_duration_seconds());
}

TEST(PreviewResult, KeepsRenderParamsByteForByte) {
  const std::string params =
      R"({ "scenes":[{"asset_id": 12,"x":1.50},{"asset_id":"g-12","frame":null}] , "output":{} })";
  for (const char* key : {"preview", "previewUrl"}) {
    const std::string data =
        R"({"renderParams":)" + params + ",\"" + key +
        R"(":"https://p","storyboard":{"a":1},"projectId":77,"projectUrl":"https://u"})";
    const Stored stored = Finish(data, v1::JOB_KIND_PREVIEW);
    EXPECT_EQ(stored.job.preview().preview_url(), "https://p");
    EXPECT_EQ(stored.job.preview().project_id(), "77");
    EXPECT_EQ(stored.job.preview().render_params_json(), "");
    EXPECT_THAT(stored.Omitted(),
                ElementsAre(v1::RESULT_PART_RESULT_JSON, v1::RESULT_PART_RENDER_PARAMS_JSON));
    EXPECT_EQ(stored.parts.at(v1::RESULT_PART_RENDER_PARAMS_JSON), params);
    EXPECT_EQ(stored.parts.at(v1::RESULT_PART_RESULT_JSON), data);
  }
}

constexpr char kTranscript[] =
    R"([{"uid":"s1","speakerId":1,"words":[{"uid":"w1","word":"Once","start_time":0,"end_time":0.48,"speakerId":1,"sentence_index":0},{"uid":"w2","word":"","is_pause":true,"pause_size":"small","start_time":0.48,"end_time":0.9}]}])";

TEST(TranscriptionResult, TextsInlineWordsAsAPart) {
  const std::string data =
      std::string(R"({"status":"completed","transcript":)") + kTranscript +
      R"(,"txt":"Once","srt":"1\n00:00","vtt":"WEBVTT\n","mediaInfo":{"d":1},"highlights":[{"summary":"S","duration":"30"}]})";
  const Stored stored = Finish(data, v1::JOB_KIND_TRANSCRIPTION);
  const v1::TranscriptionResult& result = stored.job.transcription();
  EXPECT_EQ(result.txt(), "Once");
  EXPECT_EQ(result.srt(), "1\n00:00");
  EXPECT_EQ(result.vtt(), "WEBVTT\n");
  EXPECT_EQ(result.transcript_size(), 0);
  ASSERT_EQ(result.summaries_size(), 1);
  EXPECT_EQ(result.summaries(0).text(), "S");
  EXPECT_EQ(result.summaries(0).duration_seconds(), 30);
  EXPECT_THAT(stored.Omitted(),
              ElementsAre(v1::RESULT_PART_RESULT_JSON, v1::RESULT_PART_TRANSCRIPT_JSON));
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_TRANSCRIPT_JSON), kTranscript);
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_TXT), "Once");
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_SRT), "1\n00:00");
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_VTT), "WEBVTT\n");
}

TEST(TranscriptionResult, LongTextsAreParts) {
  const std::string at_limit(limits::kBasicTextMaxBytes, 'a');
  const std::string beyond = at_limit + "b";
  const Stored stored =
      Finish(R"({"transcript":[{"words":[]}],"txt":")" + at_limit + R"(","srt":")" + beyond + "\"}",
             v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(stored.job.transcription().txt(), at_limit);
  EXPECT_EQ(stored.job.transcription().srt(), "");
  EXPECT_THAT(stored.Omitted(), ElementsAre(v1::RESULT_PART_TRANSCRIPT_JSON, v1::RESULT_PART_SRT));
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_SRT), beyond);
}

TEST(TranscriptionResult, OldSpellings) {
  const auto full = FullJob(
      R"({"job_id":"inside","transcript":[{"speakerId":"","word":[{"word":"Hi","start_time":"0.5","state":"active"}]}]})",
      v1::JOB_KIND_TRANSCRIPTION);
  ASSERT_TRUE(full.ok());
  const v1::Sentence& sentence = full->transcription().transcript(0);
  EXPECT_FALSE(sentence.has_speaker_id());
  ASSERT_EQ(sentence.words_size(), 1);
  EXPECT_EQ(sentence.words(0).word(), "Hi");
  EXPECT_EQ(sentence.words(0).start_time(), 0.5);
}

// One word: text, start, end, highlighted.
std::string W(const char* text, double start, double end, bool highlight, bool pause = false) {
  return R"({"word":")" + std::string(text) + R"(","start_time":)" + std::to_string(start) +
         R"(,"end_time":)" + std::to_string(end) + (highlight ? R"(,"highlight":true)" : "") +
         (pause ? R"(,"is_pause":true)" : "") + "}";
}

TEST(SummaryResult, SegmentsAreRunsOfHighlightedWords) {
  const std::string data =
      R"({"transcript":[{"words":[)" + W("Intro", 0, 1, false) + "," + W("This", 1, 1.5, true) +
      "," + W("", 1.5, 2, false, true) + "," + W("matters", 2, 2.5, true) + "]},{\"words\":[" +
      W("too", 2.5, 3, true, true) + "," + W(".", 3, 3, true) + "," + W("", 3, 4, true, true) +
      "," + W("skip", 4, 5, false) + "," + W("End", 5, 6, true) + "]}]}";
  const Stored stored = Finish(data, v1::JOB_KIND_SUMMARY);
  const v1::SummaryResult& summary = stored.job.summary();
  ASSERT_EQ(summary.segments_size(), 2);
  EXPECT_EQ(summary.segments(0).text(), "This matters too.");
  EXPECT_EQ(summary.segments(0).start_seconds(), 1);
  EXPECT_EQ(summary.segments(0).end_seconds(), 3);
  EXPECT_EQ(summary.segments(1).text(), "End");
  EXPECT_EQ(summary.segments(1).start_seconds(), 5);
  EXPECT_EQ(summary.segments(1).end_seconds(), 6);
  EXPECT_EQ(summary.summary_text(), "This matters too. End");
  EXPECT_EQ(summary.summary_duration_seconds(), 3);
  EXPECT_EQ(summary.transcript_size(), 0);
  EXPECT_THAT(stored.Omitted(), ElementsAre(v1::RESULT_PART_TRANSCRIPT_JSON));
}

TEST(SummaryResult, WordsWithoutTimes) {
  const Stored stored = Finish(
      R"({"transcript":[{"words":[{"word":"a","end_time":2},{"word":"b","highlight":true},{"word":"c","highlight":"true","end_time":4}]}]})",
      v1::JOB_KIND_SUMMARY);
  ASSERT_EQ(stored.job.summary().segments_size(), 1);
  EXPECT_EQ(stored.job.summary().segments(0).start_seconds(), 2);
  EXPECT_EQ(stored.job.summary().segments(0).end_seconds(), 4);
}

TEST(SummaryResult, TopLevelSummaryServesWithoutHighlights) {
  for (const char* data :
       {R"({"status":"completed","summary":"In short"})",
        R"({"status":"completed","summaries":[{"text":"In short"}]})",
        R"({"status":"completed","highlight":{"content":"In short","duration":60}})"}) {
    const Stored stored = Finish(data, v1::JOB_KIND_SUMMARY);
    ASSERT_EQ(stored.job.summary().summaries_size(), 1) << data;
    EXPECT_EQ(stored.job.summary().summaries(0).text(), "In short") << data;
    EXPECT_EQ(stored.job.summary().summary_text(), "In short") << data;
  }
}

TEST(SummaryResult, ManyRunsDoNotWeighOnTheBasicView) {
  std::string words;
  for (int i = 0; i < 60'000; ++i) {
    if (i > 0) words += ',';
    words += W("word", i, i + 1, i % 2 == 0);
  }
  const Stored stored =
      Finish(R"({"transcript":[{"words":[)" + words + "]}]}", v1::JOB_KIND_SUMMARY);
  EXPECT_LT(stored.job.ByteSizeLong(), limits::kMiB);
  EXPECT_EQ(stored.job.summary().summary_duration_seconds(), 30'000);
  EXPECT_THAT(stored.Omitted(), ElementsAre(v1::RESULT_PART_TRANSCRIPT_JSON));
}

TEST(AdoptedJob, ItsResultShowsTheKind) {
  EXPECT_EQ(Finish(R"({"status":"completed","videoURL":"https://x"})", v1::JOB_KIND_UNSPECIFIED)
                .job.render()
                .video_url(),
            "https://x");
  EXPECT_EQ(Finish(R"({"renderParams":{"a":1},"preview":"https://p"})", v1::JOB_KIND_UNSPECIFIED)
                .job.preview()
                .preview_url(),
            "https://p");
  EXPECT_EQ(
      Finish(R"({"transcript":[{"words":[{"word":"a"}]}],"txt":"a"})", v1::JOB_KIND_UNSPECIFIED)
          .job.transcription()
          .txt(),
      "a");
  const Stored summary = Finish(R"({"transcript":[{"words":[{"word":"a","highlight":true}]}]})",
                                v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(summary.shown, v1::JOB_KIND_SUMMARY);
  EXPECT_EQ(summary.job.summary().summary_text(), "a");
  const std::string picture = R"({"status":"completed","url":"https://i","width":1})";
  EXPECT_EQ(Finish(picture, v1::JOB_KIND_UNSPECIFIED).job.image().url(), "https://i");
  const std::string clip = R"({"status":"completed","url":"https://v","duration":"8s"})";
  EXPECT_EQ(Finish(clip, v1::JOB_KIND_UNSPECIFIED).job.video().duration(), "8s");
  // This is none of our kinds, and nothing of it is lost.
  const std::string other = R"({"status":"completed","txt":"words","width":1})";
  const Stored unknown = Finish(other, v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(unknown.shown, v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(unknown.job.result_case(), v1::Job::RESULT_NOT_SET);
  EXPECT_THAT(unknown.Omitted(), Contains(v1::RESULT_PART_RESULT_JSON));
  EXPECT_EQ(unknown.parts.at(v1::RESULT_PART_RESULT_JSON), other);
}

TEST(FullResult, HoldsEverything) {
  const std::string data = std::string(R"({"transcript":)") + kTranscript +
                           R"(,"txt":"Once","mediaInfo":{"d": 1},"summary":{"text":"S"}})";
  auto full = FullJob(data, v1::JOB_KIND_TRANSCRIPTION);
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ(full->transcription().transcript(0).words_size(), 2);
  EXPECT_TRUE(full->transcription().transcript(0).words(1).is_pause());
  EXPECT_EQ(full->transcription().media_info_json(), R"({"d": 1})");
  EXPECT_EQ(full->transcription().summaries(0).raw_json(), R"({"text":"S"})");
  EXPECT_EQ(full->omitted_parts_size(), 0);
  full = FullJob(R"({"renderParams":{"a": 1},"storyboard":{"b": 2}})", v1::JOB_KIND_UNSPECIFIED);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->preview().render_params_json(), R"({"a": 1})");
  EXPECT_EQ(full->preview().storyboard_json(), R"({"b": 2})");
}

TEST(FullResult, LeavesOutTheLargestPartsFirst) {
  std::string words;
  for (int i = 0; words.size() < 6 * limits::kMiB; ++i) {
    if (i > 0) words += ',';
    words += W("word", i, i + 1, false);
  }
  const std::string txt(2 * limits::kMiB, 't');
  const auto full = FullJob(R"({"transcript":[{"words":[)" + words + R"(]}],"txt":")" + txt + "\"}",
                            v1::JOB_KIND_TRANSCRIPTION);
  ASSERT_TRUE(full.ok());
  EXPECT_LE(full->ByteSizeLong(), limits::kFullViewMaxBytes + 64);
  EXPECT_EQ(full->transcription().transcript_size(), 0);
  EXPECT_EQ(full->transcription().txt().size(), txt.size());
  EXPECT_THAT(full->omitted_parts(), UnorderedElementsAre(v1::RESULT_PART_TRANSCRIPT_JSON));
}

TEST(FullResult, BrokenStoredBytesAreAnError) {
  EXPECT_EQ(ReadFullResult("{", v1::JOB_KIND_RENDER).status().code(), absl::StatusCode::kInternal);
}

TEST(Transcripts, OverFourMegabytesAreRead) {
  std::string words;
  for (int i = 0; words.size() < 6 * limits::kMiB; ++i) {
    if (i > 0) words += ',';
    words += W("word", i, i + 1, false);
  }
  const std::string transcript = R"([{"words":[)" + words + "]}]";
  const Stored stored = Finish(R"({"transcript":)" + transcript + "}", v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_TRANSCRIPT_JSON), transcript);
  EXPECT_LT(stored.job.ByteSizeLong(), limits::kKiB);
}

TEST(Transcripts, PartsAreSlicesOfTheReplyAndNoCopies) {
  const JobReply reply =
      ReadJobReply(test::Reply(200, R"({"data":{"transcript":[{"words":[]}],"txt":"a"}})"),
                   v1::JOB_KIND_TRANSCRIPTION, 0, WallTime{});
  ASSERT_NE(reply.result, nullptr);
  const auto bytes = [&](std::size_t i) { return std::string_view(reply.result->parts[i].bytes); };
  ASSERT_EQ(reply.result->parts[1].part, v1::RESULT_PART_TRANSCRIPT_JSON);
  EXPECT_GT(bytes(1).data(), bytes(0).data());
  EXPECT_LT(bytes(1).data(), bytes(0).data() + bytes(0).size());
}

TEST(Transcripts, ALargeReplyMayHaveMoreValuesAndLongerTexts) {
  std::string words;
  constexpr std::size_t kWords = 520'000;  // with eight values each, over four million
  while (words.size() < kWords * 78) {
    words += R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"some":"more, to be like a word"},)";
  }
  words.pop_back();
  const std::string txt(limits::kJsonStringMaxBytes + 1, 't');
  const Stored stored =
      Finish(R"({"transcript":[{"words":[)" + words + R"(]}],"txt":")" + txt + "\"}",
             v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(stored.parts.at(v1::RESULT_PART_TXT).size(), txt.size());
}

// What is no link is not lost, and the job says where it stands.
TEST(ResultLinks, OthersStandInTheResultOnly) {
  const std::string odd[] = {"javascript:alert(1)",
                             "file:///etc/passwd",
                             "data:text/html,x",
                             "http://v.example/a",
                             "http://127.0.0.1:1/a",
                             R"(https://v.example/\u001b[31m)",
                             "https://v.example/" + std::string(limits::kResultUrlMaxBytes, 'a')};
  for (const std::string& url : odd) {
    const std::string data = R"({"status":"completed","videoURL":")" + url +
                             R"(","thumbnail":"https://t","srtFile":")" + url + R"("})";
    const Stored stored = Finish(data, v1::JOB_KIND_RENDER);
    const absl::StatusOr<v1::Job> full = FullJob(data, v1::JOB_KIND_RENDER);
    ASSERT_TRUE(full.ok());
    for (const v1::Job& job : {stored.job, *full}) {
      EXPECT_EQ(job.render().video_url(), "") << url;
      EXPECT_EQ(job.render().srt_url(), "") << url;
      EXPECT_EQ(job.render().thumbnail_url(), "https://t");
      EXPECT_THAT(job.omitted_parts(), ElementsAre(v1::RESULT_PART_RESULT_JSON)) << url;
    }
    EXPECT_EQ(stored.parts.at(v1::RESULT_PART_RESULT_JSON), data);
  }
}

TEST(ResultLinks, AnyKindHasThem) {
  const std::string preview = R"({"preview":"javascript:a","projectUrl":"file:///a"})";
  EXPECT_EQ(Finish(preview, v1::JOB_KIND_PREVIEW).job.preview().preview_url(), "");
  EXPECT_EQ(FullJob(preview, v1::JOB_KIND_PREVIEW)->preview().project_url(), "");
  const std::string words = R"({"transcript":[],"txt":"a","editVideoUrl":"data:a"})";
  EXPECT_EQ(Finish(words, v1::JOB_KIND_TRANSCRIPTION).job.transcription().edit_video_url(), "");
  EXPECT_EQ(FullJob(words, v1::JOB_KIND_TRANSCRIPTION)->transcription().edit_video_url(), "");
  EXPECT_EQ(FullJob(words, v1::JOB_KIND_TRANSCRIPTION)->transcription().txt(), "a");
}

TEST(ResultLinks, ALongUrlIsWhole) {
  const std::string url = "https://v.example/" + std::string(limits::kResultUrlMaxBytes - 18, 'a');
  const std::string data = R"({"videoURL":")" + url + R"("})";
  EXPECT_EQ(Finish(data, v1::JOB_KIND_RENDER).job.render().video_url(), url);
  EXPECT_EQ(FullJob(data, v1::JOB_KIND_RENDER)->render().video_url(), url);
}

TEST(ResultLinks, TheSandboxNamesThisMachine) {
  const std::string data = R"({"videoURL":"http://127.0.0.1:8080/a.mp4"})";
  const JobReply reply = ReadJobReply(test::Reply(200, R"({"success":true,"data":)" + data + "}"),
                                      v1::JOB_KIND_RENDER, 0, WallTime{}, /*allow_loopback=*/true);
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(reply.result->basic_wire));
  EXPECT_EQ(job.render().video_url(), "http://127.0.0.1:8080/a.mp4");
  ASSERT_TRUE(job.ParseFromString(*ReadFullResult(data, v1::JOB_KIND_RENDER, true)));
  EXPECT_EQ(job.render().video_url(), "http://127.0.0.1:8080/a.mp4");
}

// Only fields of the result itself are looked at, and single ones.
TEST(ResultLinks, NoFieldInsideAResultHoldsAUrl) {
  std::vector<const google::protobuf::Descriptor*> types;
  const auto* const results = v1::Job::descriptor()->FindOneofByName("result");
  for (int i = 0; i < results->field_count(); ++i) {
    types.push_back(results->field(i)->message_type());
  }
  const std::set<const google::protobuf::Descriptor*> outer(types.begin(), types.end());
  std::set<const google::protobuf::Descriptor*> seen = outer;
  int urls = 0;
  while (!types.empty()) {
    const google::protobuf::Descriptor* const type = types.back();
    types.pop_back();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* const field = type->field(i);
      if (HoldsUrl(field)) {
        ++urls;
        EXPECT_TRUE(outer.contains(type) && !field->is_repeated()) << field->full_name();
      }
      const google::protobuf::Descriptor* const inner = field->message_type();
      if (inner != nullptr && seen.insert(inner).second) types.push_back(inner);
    }
  }
  EXPECT_GE(urls, 10);
}

}  // namespace
}  // namespace gateway::pictory
