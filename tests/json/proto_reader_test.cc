#include "json/proto_reader.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename M>
M ReadAs(std::string_view text, const ReadOptions& options = {}, ReadStats* stats = nullptr) {
  M message;
  const auto result = Read(text, &message, options);
  EXPECT_TRUE(result.ok()) << result.status();
  if (result.ok() && stats != nullptr) *stats = *result;
  return message;
}

template <typename M>
std::string Dump(std::string_view text, const ReadOptions& options = {},
                 ReadStats* stats = nullptr) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string out;
  EXPECT_TRUE(printer.PrintToString(ReadAs<M>(text, options, stats), &out));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

TEST(ProtoReader, NumbersStringsAndBoolsForOneAnother) {
  ReadStats stats;
  EXPECT_EQ(Dump<v1::Word>(R"({"word":42,"start_time":"1.50","end_time":7,"speakerId":"3",
                               "is_pause":"true","highlight":"false","pause_size":1.50})",
                           {}, &stats),
            R"(word: "42" start_time: 1.5 end_time: 7 speaker_id: 3 is_pause: true )"
            R"(pause_size: "1.50" highlight: false)");
  EXPECT_EQ(stats.skipped(), 0u);
  EXPECT_EQ(Dump<v1::Word>(R"({"speakerId":3.0,"sentence_index":2e0})"),
            "speaker_id: 3 sentence_index: 2");
}

TEST(ProtoReader, NullIsAbsence) {
  ReadStats stats;
  EXPECT_EQ(Dump<v1::Word>(R"({"word":null,"start_time":null,"speakerId":null})", {}, &stats), "");
  EXPECT_EQ(stats.skipped(), 0u);
  EXPECT_EQ(Dump<v1::Storyboard>(R"({"scenes":[null],"destinations":null,"voiceOver":null,
                                     "variables":{"a":null},"webhookInput":null})",
                                 {}, &stats),
            "");
  EXPECT_EQ(stats.skipped(), 0u);
}

TEST(ProtoReader, ExplicitZerosArePresent) {
  const auto word = ReadAs<v1::Word>(R"({"word":"","start_time":0,"is_pause":false})");
  EXPECT_TRUE(word.has_word());
  EXPECT_TRUE(word.has_start_time());
  EXPECT_TRUE(word.has_is_pause());
  EXPECT_FALSE(word.has_end_time());
}

TEST(ProtoReader, CountsAndNamesWhatItLeavesOut) {
  ReadOptions options;
  options.max_problems = 3;
  ReadStats stats;
  EXPECT_EQ(Dump<v1::Sentence>(R"({"uid":{"x":1},"speakerId":"","start":[1],"end":true,"new":1,
                                   "newer":{"deep":[1,2]},"words":[[1],7,{"highlight":1,
                                   "speakerId":2147483648,"sentence_index":1.5}],"text":"ok"})",
                               options, &stats),
            R"(words { } text: "ok")");
  EXPECT_EQ(stats.unknown, 2u);
  EXPECT_EQ(stats.wrong_type, 8u);
  EXPECT_EQ(stats.out_of_range, 1u);
  ASSERT_EQ(stats.problems.size(), 3u);
  EXPECT_EQ(stats.problems[0].path, "uid");
  EXPECT_EQ(stats.problems[1].path, "speakerId");
  EXPECT_EQ(stats.problems[2].path, "start");
  EXPECT_EQ(stats.problems[2].kind, Problem::Kind::kWrongType);
}

TEST(ProtoReader, NamesUnknownKeysInPlace) {
  ReadOptions options;
  options.max_problems = 16;
  ReadStats stats;
  ReadAs<v1::Storyboard>(R"({"videoNam" : "x","scenes":[{},{"storry":"y","a":{"b":1}}]})", options,
                         &stats);
  ASSERT_EQ(stats.problems.size(), 3u);
  EXPECT_EQ(stats.problems[0].path, "videoNam");
  EXPECT_EQ(stats.problems[1].path, "scenes[1].storry");
  EXPECT_EQ(stats.problems[2].path, "scenes[1].a");
  EXPECT_EQ(stats.problems[2].kind, Problem::Kind::kUnknown);
}

TEST(ProtoReader, DoublesAreExact) {
  const auto word = ReadAs<v1::Word>(
      R"({"start_time":0.12345678901234567,"end_time":"2.2250738585072011e-308"})");
  EXPECT_EQ(word.start_time(), 0.12345678901234567);
  EXPECT_EQ(word.end_time(), 2.2250738585072011e-308);
  ReadStats stats;
  ReadAs<v1::Word>(R"({"start_time":"1e999","end_time":"NaN"})", {}, &stats);
  EXPECT_EQ(stats.out_of_range, 1u);
  EXPECT_EQ(stats.wrong_type, 1u);
}

TEST(ProtoReader, ASingleValueIsAListOfOne) {
  EXPECT_EQ(Dump<v1::TextStyle>(R"({"decorations":"bold","animations":{"name":"x"}})"),
            R"(decorations: "bold" animations { name: "x" })");
  EXPECT_EQ(Dump<v1::Transcript>(R"({"text":"one"})"), R"(sentences { text: "one" })");
  EXPECT_EQ(Dump<v1::Transcript>(R"([{"text":"a"},{"text":"b"}])"),
            R"(sentences { text: "a" } sentences { text: "b" })");
}

TEST(ProtoReader, AliasesNeverReplaceTheirField) {
  EXPECT_EQ(Dump<v1::RenderResult>(R"({"shareVideoURL":"a"})"), R"(share_url: "a")");
  EXPECT_EQ(Dump<v1::RenderResult>(R"({"shareVideoURL":"a","videoShareURL":"b"})"),
            R"(share_url: "b")");
  EXPECT_EQ(Dump<v1::RenderResult>(R"({"videoShareURL":"b","shareVideoURL":"a"})"),
            R"(share_url: "b")");
  EXPECT_EQ(Dump<v1::RenderResult>(R"({"videoShareURL":null,"shareVideoURL":"a"})"),
            R"(share_url: "a")");
  EXPECT_EQ(Dump<v1::Sentence>(R"({"word":[{"word":"a"}]})"), R"(words { word: "a" })");
}

TEST(ProtoReader, SummariesComeInEveryShape) {
  EXPECT_EQ(
      Dump<v1::TranscriptionResult>(
          R"({"summary":"short","highlights":[{"text":"t","duration":"30"},"bare",5],
                    "highlight":{ "content":"c","highlight_duration":9,"x":[1] }})"),
      R"(summaries { text: "short" raw_json: "\"short\"" } )"
      R"(summaries { text: "t" duration_seconds: 30 raw_json: "{\"text\":\"t\",\"duration\":\"30\"}" } )"
      R"(summaries { text: "bare" raw_json: "\"bare\"" } )"
      R"(summaries { text: "c" duration_seconds: 9 )"
      R"(raw_json: "{ \"content\":\"c\",\"highlight_duration\":9,\"x\":[1] }" })");
}

TEST(ProtoReader, RawJsonIsTheBytesWhateverTheyAre) {
  for (const std::string value :
       {"{ \"asset_id\" : 18446744073709551616,\"b\":[ 0.12345678901234567 ,\"x\\u0041\"] }", "[ ]",
        "{}", "\"a\\\"b\"", "12.50", "true", "1.0E+2"}) {
    for (const std::string space : {"", " ", "\r\n\t"}) {
      const auto result = ReadAs<v1::PreviewResult>("{" + space + "\"renderParams\"" + space + ":" +
                                                    space + value + space + ",\"preview\":\"p\"}");
      EXPECT_EQ(result.render_params_json(), value);
      EXPECT_EQ(result.preview_url(), "p");
    }
  }
}

TEST(ProtoReader, PassesOverWhatIsNotWanted) {
  const std::string text =
      R"({"transcript":[{"words":[{"word":"a"}]}],"txt":"t","mediaInfo":{"a":1},"summary":"s"})";
  ReadOptions options;
  options.skip = {v1::TranscriptionResult::descriptor()->FindFieldByName("transcript")};
  options.skip_raw_json = true;
  ReadStats stats;
  EXPECT_EQ(Dump<v1::TranscriptionResult>(text, options, &stats),
            R"(txt: "t" summaries { text: "s" })");
  EXPECT_EQ(stats.skipped(), 0u);
  EXPECT_THAT(stats.omitted, IsEmpty());
}

TEST(ProtoReader, LongTextsAreListedNotStored) {
  ReadOptions options;
  options.string_max_bytes = 4;
  ReadStats stats;
  EXPECT_EQ(Dump<v1::TranscriptionResult>(
                R"({"txt":"12345","srt":"1234","mediaInfo":[1,2,3],
                    "summaries":["ok",{"text":"too long","x":1},"too long too"],
                    "transcript":[{},{"words":[{"word":"supercalifragilistic"}]}]})",
                options, &stats),
            R"(transcript { } transcript { words { } } srt: "1234" )"
            R"(summaries { text: "ok" raw_json: "\"ok\"" } summaries { } summaries { })");
  std::vector<std::string> paths;
  for (const Omitted& omitted : stats.omitted) paths.push_back(omitted.path);
  EXPECT_THAT(paths, ElementsAre("txt", "media_info_json", "summaries[1].text",
                                 "summaries[1].raw_json", "summaries[2].text",
                                 "summaries[2].raw_json", "transcript[1].words[0].word"));
  EXPECT_EQ(stats.omitted[0].bytes, 5u);
  EXPECT_EQ(stats.omitted[0].field, v1::TranscriptionResult::descriptor()->FindFieldByName("txt"));
}

TEST(ProtoReader, PathsLeadThroughItemsAndMaps) {
  ReadOptions options;
  options.string_max_bytes = 1;
  ReadStats stats;
  ReadAs<v1::SummarizeRequest>(R"({"transcript":[{"text":"long"}]})", options, &stats);
  ASSERT_EQ(stats.omitted.size(), 1u);
  EXPECT_EQ(stats.omitted[0].path, "typed_transcript.sentences[0].text");
  ReadAs<v1::Storyboard>(R"({"variables":{"k":"long"},"subtitleStyle":{"decorations":["long"]}})",
                         options, &stats);
  ASSERT_EQ(stats.omitted.size(), 2u);
  EXPECT_EQ(stats.omitted[0].path, "variables");
  EXPECT_EQ(stats.omitted[1].path, "subtitle_style.decorations[0]");
}

TEST(ProtoReader, TheMessageMayLieDeeper) {
  ReadOptions options;
  options.message_at = "data.result";
  ReadStats stats;
  EXPECT_EQ(Dump<v1::RenderResult>(
                R"({"result":{"videoURL":"no"},"videoURL":"no",
                    "data":{"videoURL":"no","result":{"videoURL":"yes","data":{"result":1}},
                            "x":{"result":{"videoURL":"no"}}},
                    "more":{"data":{"result":{"videoURL":"no"}}}})",
                options, &stats),
            R"(video_url: "yes")");
  EXPECT_EQ(stats.message_type, Type::kObject);
  EXPECT_EQ(stats.unknown, 1u);  // outside of the message nothing is unknown

  for (const auto& [text, type] :
       std::vector<std::pair<const char*, Type>>{{"{}", Type::kAbsent},
                                                 {"[]", Type::kAbsent},
                                                 {"null", Type::kAbsent},
                                                 {R"({"data":null})", Type::kAbsent},
                                                 {R"({"data":[{"result":{}}]})", Type::kAbsent},
                                                 {R"({"data":{"result":null}})", Type::kNull},
                                                 {R"({"data":{"result":"x"}})", Type::kString},
                                                 {R"({"data":{"result":[{}]}})", Type::kArray}}) {
    EXPECT_EQ(Dump<v1::RenderResult>(text, options, &stats), "") << text;
    EXPECT_EQ(stats.message_type, type) << text;
  }
}

TEST(ProtoReader, KeepsTheRulesOfCheck) {
  v1::TranscriptionResult message;
  using namespace std::string_literals;
  for (const std::string& text :
       {R"({"txt":"a","txt":"b"})"s, R"({"new":{"a":1,"a":2}})"s, R"({"txt":"\udc00"})"s,
        "{\"txt\":\"\xFF\"}"s, R"({"mediaInfo":{"x":[{"a":1,"a":1}]}})"s, "{}\0{}"s, "{} {}"s, ""s,
        R"({"videoDuration":NaN})"s, std::string(40, '[') + std::string(40, ']')}) {
    EXPECT_EQ(Read(text, &message).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  ReadOptions options;
  options.limits.allow_nul = false;
  EXPECT_FALSE(Read(R"({"txt":"\u0000"})", &message, options).ok());
  EXPECT_TRUE(Read(R"({"txt":"\u0000"})", &message).ok());
}

TEST(ProtoReader, NumbersOfAnyLengthAndSize) {
  const std::string digits(400, '9');
  ReadStats stats;
  const auto word = ReadAs<v1::Word>(
      R"({"word":)" + digits + R"(,"start_time":0.)" + std::string(400, '0') + R"(1,"end_time":)" +
          digits + R"(e-400,"speakerId":1)" + std::string(400, '0') + R"(e-400})",
      {}, &stats);
  EXPECT_EQ(word.word(), digits);
  EXPECT_EQ(word.start_time(), 0) << "too small";
  EXPECT_TRUE(word.has_start_time());
  EXPECT_EQ(word.end_time(), 1);
  EXPECT_EQ(word.speaker_id(), 1);
  EXPECT_EQ(stats.skipped(), 0u);
  ReadAs<v1::Word>(
      R"({"start_time":)" + digits + R"(,"end_time":-1e400,"speakerId":)" + digits + "}", {},
      &stats);
  EXPECT_EQ(stats.out_of_range, 3u);
  ReadAs<v1::Word>(R"({"start_time":")" + digits + R"(e-1","end_time":"0.)" + digits + "\"}", {},
                   &stats);
  EXPECT_EQ(stats.out_of_range, 1u) << "too large, whatever its exponent";
  EXPECT_EQ(stats.wrong_type, 0u);
  EXPECT_EQ(Dump<v1::PreviewResult>(R"({"renderParams":[1e400, 1e-400],"preview":1e400})"),
            R"(preview_url: "1e400" render_params_json: "[1e400, 1e-400]")");
}

TEST(ProtoReader, ReadsOddTextsForgivingly) {
  ReadOptions options;
  options.limits.reading = Reading::kForgiving;
  ReadStats stats;
  EXPECT_EQ(Dump<v1::TranscriptionResult>(
                R"({"txt":"a\ud83c","srt":"b","srt":null,"new":1,"new":2,"videoDuration":NaN,)"
                R"("transcript":[{"text":"no"}],"transcript":[{"text":"\ud83d\ude00\udc00"}]})",
                options, &stats),
            "transcript { text: \"\xF0\x9F\x98\x80\xEF\xBF\xBD\" } txt: \"a\xEF\xBF\xBD\"");
  EXPECT_EQ(stats.unknown, 2u) << "one is `videoDuration`";
  EXPECT_EQ(Dump<v1::PreviewResult>(
                "{\"renderParams\":{\"a\":\"\xff\",\"a\":NaN},\"storyboard\":\"\xe2\x82\"}",
                options, &stats),
            R"(render_params_json: "{\"a\":\")"
            "\xEF\xBF\xBD"
            R"(\",\"a\":NaN}" )"
            R"(storyboard_json: "\")"
            "\xEF\xBF\xBD"
            R"(\"")");
  EXPECT_EQ(Dump<v1::Sentence>("{\"words\":[{\"word\":\"a\nb\"}],\"text\":" + std::string(40, '[') +
                                   std::string(40, ']') + "}",
                               options, &stats),
            R"(words { word: "a\nb" })");
  EXPECT_EQ(stats.wrong_type, 1u);
}

TEST(ProtoReader, ReadsARequestBackFromItsBody) {
  EXPECT_EQ(Dump<v1::Storyboard>(R"({"videoName":"n","variables":{"b":"2","a":1},
      "scenes":[{"isSSMLStory":true}],"destinations":[{"folder_uri":"f"}]})"),
            R"(video_name: "n" scenes { is_ssml_story: true } )"
            R"(variables { key: "a" value: "1" } variables { key: "b" value: "2" } )"
            R"(destinations { folder_uri: "f" })");
}

TEST(ProtoReader, LeavesFreeValuesOut) {
  ReadStats stats;
  EXPECT_EQ(Dump<v1::Storyboard>(R"({"webhookInput":{"a":1},"videoName":"n",
      "voiceOver":{"aiVoices":[{"speaker":"Brian"}]},"scenes":[{"backgroundBrolls":[1]}]})",
                                 {}, &stats),
            R"(video_name: "n" scenes { } voice_over { ai_voices { } })");
  EXPECT_EQ(stats.wrong_type, 3u);
}

}  // namespace
}  // namespace gateway::json
