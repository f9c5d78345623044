// A file of submits, line by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "batch_file.h"
#include "submit_commands.h"

namespace pictory_jobs::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Batch Read(const std::string& text, const Invocation& invocation = {}) {
  return ReadBatch(text, "films.jsonl", invocation);
}

// The one bad line's complaint.
std::string Complaint(const std::string& line) {
  const Batch batch = Read(line + "\n");
  if (batch.bad.size() != 1) return batch.bad.empty() ? "accepted" : "several";
  EXPECT_THAT(batch.lines, IsEmpty());
  return batch.bad[0].what;
}

template <class Request>
const Request& As(const BatchLine& line) {
  return dynamic_cast<const Request&>(*line.request);
}

TEST(BatchFile, EachKindIsReadFromABodyAndFromARequest) {
  const Batch batch = Read(
      "{\"kind\":\"preview\",\"body\":{ \"videoName\" : \"x\",\"videoWidth\": 1.0 }}\n"
      "{\"kind\":\"preview\",\"request\":{\"storyboard\":{\"videoName\":\"y\"}}}\n"
      "\n"
      "{\"kind\":\"render\",\"request\":{\"previewJobId\":\"p1\",\"waitForPreview\":true}}\n"
      "{\"kind\":\"render\",\"body\":{\"output\":{},\"elements\":[]}}\r\n"
      "{\"kind\":\"transcribe\",\"body\":{\"fileUrl\":\"https://x/"
      "a.mp4\",\"mediaType\":\"video\"}}\n"
      "{\"kind\":\"transcription\",\"request\":{\"fileUrl\":\"https://x/b.mp4\"}}\n"
      "{\"kind\":\"summarize\",\"body\":{\"transcript\":[],\"highlight_duration\":30}}\n"
      "{\"kind\":\"summary\",\"request\":{\"transcriptionJobId\":\"t\",\"highlight_duration\":9}}\n"
      "{\"kind\":\"image\",\"body\":{\"prompt\":\"A lake\"}}\n"
      "{\"kind\":\"VIDEO\",\"request\":{\"prompt\":\"A drone\",\"duration\":\"5s\"}}");
  ASSERT_THAT(batch.bad, IsEmpty()) << batch.bad[0].number << ": " << batch.bad[0].what;
  ASSERT_THAT(batch.lines, SizeIs(10));
  EXPECT_EQ(As<CreatePreviewRequest>(batch.lines[0]).storyboard_json(),
            "{ \"videoName\" : \"x\",\"videoWidth\": 1.0 }")
      << "the bytes are kept";
  EXPECT_EQ(As<CreatePreviewRequest>(batch.lines[1]).storyboard().video_name(), "y");
  EXPECT_EQ(batch.lines[2].number, 4) << "empty lines count";
  EXPECT_TRUE(As<RenderRequest>(batch.lines[2]).wait_for_preview());
  EXPECT_TRUE(As<RenderRequest>(batch.lines[3]).has_render_params_json());
  EXPECT_EQ(As<TranscribeRequest>(batch.lines[4]).media_type(), "video");
  EXPECT_EQ(As<TranscribeRequest>(batch.lines[5]).file_url(), "https://x/b.mp4");
  EXPECT_EQ(As<SummarizeRequest>(batch.lines[6]).highlight_duration_seconds(), 30);
  EXPECT_EQ(As<SummarizeRequest>(batch.lines[7]).transcription_job_id(), "t");
  EXPECT_EQ(As<GenerateImageRequest>(batch.lines[8]).prompt(), "A lake");
  EXPECT_EQ(As<GenerateVideoRequest>(batch.lines[9]).duration(), "5s");
}

TEST(BatchFile, WhatIsWrongWithALineIsSaid) {
  const struct {
    const char* line;
    const char* says;
  } cases[] = {
      {"{", "this is not JSON"},
      {"[1]", "must be an object"},
      {R"({"body":{}})", "kind: is missing"},
      {R"({"kind":7,"body":{}})", "kind: must be a text"},
      {R"({"kind":"film","body":{}})", "kind: one of preview, render, transcribe"},
      {R"({"kind":"image"})", "give one of body"},
      {R"({"kind":"image","body":{"prompt":"A lake"},"request":{}})", "give one of body"},
      {R"({"kind":"image","body":{"promt":"A lake"}})", "did you mean prompt?"},
      {R"({"kind":"image","body":[]})", "must be an object"},
      {R"({"kind":"image","request":{"promt":"A lake"}})", "promt"},
      {R"({"kind":"image","request":[]})", "request: must be an object"},
      {R"({"kind":"image","prompt":"A lake"})", "prompt: is not known here"},
      {R"({"kind":"image","lables":{},"body":{"prompt":"A lake"}})", "did you mean labels?"},
      {R"({"kind":"image","kind":"image","body":{"prompt":"A lake"}})", "is there twice"},
      {R"({"kind":"image","labels":{"a":1},"body":{"prompt":"A lake"}})", "labels.a"},
      {R"({"kind":"image","labels":{"pictory-batch":"x"},"body":{"prompt":"A lake"}})",
       "labels.pictory-batch: is set by this command"},
      {R"({"kind":"image","requestId":"a b","body":{"prompt":"A lake"}})",
       "requestId: must be 1 to"},
      {R"({"kind":"image","requestId":"a","request":{"prompt":"A lake","requestId":"b"}})",
       "stands in request, too"},
      {R"({"kind":"transcribe","body":{"fileUrl":"https://x/a.mp4","webhook":"https://x"}})",
       "webhook"},
      {R"({"kind":"preview","body":{"videoName":"n","webhook":"https://x"}})", "webhook: is the"},
      {R"({"kind":"summarize","body":{"transcript":[]}})", "highlight_duration"},
      {R"({"kind":"preview","request":{"storyboard":{"webhookInput":{"id":1.00000000000000000001}}}})",
       "request.storyboard.webhookInput.id: has more digits than a number can carry"},
      {R"({"kind":"render","request":{"storyboard":{"webhookInput":{"a":[1,[],{"b":9007199254740993}]}}}})",
       "request.storyboard.webhookInput.a[2].b: has more digits"},
      {R"({"kind":"preview","request":{"storyboard":{"scenes":[{},{"minimumDuration":0.10000000000000000001}]}}})",
       "storyboard_json"},
      {R"({"kind":"transcribe","request":{"fileUrl":"u","highlights":[{"start":0.10000000000000000001}]}})",
       "request.highlights[0].start: has more digits than a number can carry; leave some out, or "
       "give Pictory's own JSON as body"},
  };
  for (const auto& one : cases) EXPECT_THAT(Complaint(one.line), HasSubstr(one.says)) << one.line;
}

TEST(BatchFile, ANumberThatADoubleHoldsIsTakenHoweverItIsSpelled) {
  const Batch batch = Read(
      R"({"kind":"preview","request":{"storyboard":{"webhookInput":{"a":[1.0,10e-1,0.1,-0.0,1e22]}}}})"
      "\n"
      R"({"kind":"preview","request":{"storyboardJson":"{\"webhookInput\":{\"id\":1.00000000000000000001}}"}})");
  ASSERT_THAT(batch.bad, IsEmpty()) << batch.bad[0].what;
  EXPECT_EQ(As<CreatePreviewRequest>(batch.lines[0])
                .storyboard()
                .webhook_input()
                .fields()
                .at("a")
                .list_value()
                .values_size(),
            5);
  EXPECT_THAT(As<CreatePreviewRequest>(batch.lines[1]).storyboard_json(),
              HasSubstr("1.00000000000000000001"));
}

TEST(BatchFile, AMisspeltMemberOfAStoryboardIsFoundAtEveryDepth) {
  const std::string storyboard =
      R"({"videoName":"n","voiceOvr":{},"voiceOver":{"aiVoices":[{"speaker":"B"},{"sped":1}]},)"
      R"("webhookInput":{"a":{"b":1}},"variables":{"c":"d"},)"
      R"("scenes":[{"story":"s","transcript":[{"e":1}],"backgrond":{"f":1}},{"zzzzzz":1}]})";
  const std::string wrong =
      "body: the request is wrong:\n"
      "  voiceOvr: is not known; did you mean voiceOver?\n"
      "  voiceOver.aiVoices[1].sped: is not known; did you mean speed?\n"
      "  scenes[0].backgrond: is not known; did you mean background?\n"
      "  scenes[1].zzzzzz: Pictory knows no such field here; --allow-unknown-fields sends it "
      "anyway";
  for (const char* kind : {"preview", "render"}) {
    EXPECT_EQ(Complaint(std::string(R"({"kind":")") + kind + R"(","body":)" + storyboard + "}"),
              wrong);
  }
  EXPECT_THAT(
      Complaint(R"({"kind":"render","request":{"storyboardJson":"{\"scenes\":[{\"stori\":1}]}"}})"),
      HasSubstr("request.storyboardJson: the request is wrong:\n  scenes[0].stori"));
}

TEST(BatchFile, WhatMayBeRightInAStoryboardIsLeftToTheGateway) {
  for (const char* storyboard :
       {R"({"videoName":"n","brandLogo":{"a":1},"scenes":[{"story":"s"}]})",
        R"({"videoName":"n","scenes":[{"text":"of v1","voiceOver":true}]})",
        R"({"videoName":"n","scenes":[{"article_url":"u","other":1}]})",
        R"({"videoName":true,"scenes":[[{"a":1}],7],"voiceOver":[{"a":1}]})"}) {
    const std::string line = std::string(R"({"kind":"preview","body":)") + storyboard + "}";
    EXPECT_THAT(Read(line).bad, IsEmpty()) << storyboard;
  }
  Invocation sent;
  sent.allow_unknown_fields = true;
  EXPECT_THAT(ReadBatch(R"({"kind":"preview","body":{"scenes":[{"stori":1}]}})", "f", sent).bad,
              IsEmpty());
  EXPECT_THAT(Read(R"({"kind":"render","request":{"storyboardJson":"{"}})").bad, IsEmpty());
}

TEST(BatchFile, AllBadLinesAreNamedAndTheGoodOnesRead) {
  const std::string good = R"({"kind":"image","body":{"prompt":"A lake"}})";
  const Batch batch = Read("{\n" + good + "\nnonsense\n" + good + "\n");
  ASSERT_THAT(batch.lines, SizeIs(2));
  EXPECT_EQ(batch.lines[1].number, 4);
  ASSERT_THAT(batch.bad, SizeIs(2));
  EXPECT_EQ(batch.bad[0].number, 1);
  EXPECT_EQ(batch.bad[1].number, 3);
}

std::vector<std::string> IdsOf(const std::string& text) {
  std::vector<std::string> ids;
  for (const BatchLine& line : Read(text).lines) ids.push_back(line.request_id);
  return ids;
}

TEST(BatchFile, ARequestIdIsOfTheFilesNameTheContentAndItsOccurrence) {
  std::set<std::string> ids;
  for (const char* name :
       {"films.jsonl", "films-jsonl", "films.json", "überlänge mit Leerzeichen und mehr"}) {
    for (const char* content : {"", "a", "b"}) {
      for (const int occurrence : {1, 11, gateway::limits::kBatchLinesMax}) {
        const std::string id = BatchRequestId(name, content, occurrence);
        EXPECT_TRUE(gateway::IsRequestId(id)) << id;
        EXPECT_TRUE(ids.insert(id).second) << id;
        EXPECT_EQ(BatchRequestId(name, content, occurrence), id);
        EXPECT_TRUE(id.starts_with(BatchLabelValue(name) + "-"));
      }
    }
  }
  // It is part of the interface: another one would pay for every line again.
  EXPECT_EQ(IdsOf(R"({"kind":"image","body":{"prompt":"A lake"}})"),
            std::vector<std::string>{"films-jsonl-32b320b1ea0659b0-9988b6cc6d9559ba-1"});
  EXPECT_EQ(IdsOf(R"({"kind":"render","request":{"previewJobId":"p","waitForPreview":true}})"),
            std::vector<std::string>{"films-jsonl-32b320b1ea0659b0-43fa577af490bdae-1"});
}

TEST(BatchFile, ALineKeepsItsRequestIdWhereverItStands) {
  const std::string lake = R"({"kind":"image","body":{"prompt":"A lake"}})";
  const std::string hill = R"({"kind":"image","body":{"prompt":"A hill"}})";
  const std::string town = R"({"kind":"image","body":{"prompt":"A town"}})";
  const auto before = IdsOf(lake + "\n" + hill + "\n" + lake + "\n");
  EXPECT_EQ(std::set<std::string>(before.begin(), before.end()).size(), 3u)
      << "equal lines are jobs of their own";
  EXPECT_EQ(IdsOf(town + "\n\n" + lake + "\n" + lake + "\n" + hill + "\n"),
            (std::vector<std::string>{IdsOf(town)[0], before[0], before[2], before[1]}));
}

TEST(BatchFile, ALineKeepsItsRequestIdHoweverItIsSpelled) {
  const char* same[] = {
      R"({"kind":"preview","body":{"videoName":"é/","scenes":[{"story":"x"}],"videoWidth":30}})",
      R"({ "body" : {"videoName":"\u00E9\/","scenes" :[ {"story":"x"}], "videoWidth":3e1},"kind":"preview"})",
      R"({"kind":"PREVIEW","body":{"videoName":"é/","scenes":[{"story":"x"}],"videoWidth":30.0}})",
  };
  ASSERT_THAT(IdsOf(same[0]), SizeIs(1));
  for (const char* line : same) EXPECT_EQ(IdsOf(line), IdsOf(same[0])) << line;
  const char* others[] = {
      R"({"kind":"preview","body":{"videoName":"é/","scenes":[{"story":"x"}],"videoWidth":31}})",
      R"({"kind":"preview","body":{"videoName":"e/","scenes":[{"story":"x"}],"videoWidth":30}})",
      R"({"kind":"preview","body":{"videoName":"é/","scenes":[{"story":"x"},{"story":"x"}],"videoWidth":30}})",
  };
  for (const char* line : others) {
    ASSERT_THAT(IdsOf(line), SizeIs(1));
    EXPECT_NE(IdsOf(line), IdsOf(same[0])) << line;
  }
  const std::string plain = R"({"kind":"image","request":{"prompt":"A lake"}})";
  EXPECT_NE(IdsOf(R"({"kind":"video","request":{"prompt":"A lake"}})"), IdsOf(plain));
}

// Else one put in above another would take its place, and the other be paid for again.
TEST(BatchFile, LinesThatDifferInTheirLabelsAloneAreLinesOfTheirOwn) {
  const std::string news = R"({"kind":"image","labels":{"a":"1","b":"2"},"body":{"prompt":"x"}})";
  const std::string same = R"({"kind":"image","body":{"prompt":"x"},"labels":{"b":"2","a":"1"}})";
  const std::string other = R"({"kind":"image","labels":{"a":"1","b":"3"},"body":{"prompt":"x"}})";
  EXPECT_EQ(IdsOf(news), IdsOf(same));
  const auto both = IdsOf(other + "\n" + news);
  EXPECT_EQ(both, (std::vector<std::string>{IdsOf(other)[0], IdsOf(news)[0]}));
  Invocation invocation;
  invocation.labels = {{"run", "7"}};
  EXPECT_EQ(Read(news, invocation).lines[0].request_id, IdsOf(news)[0])
      << "those of the command are the same for all";
}

TEST(BatchFile, ALineHasAsManyLabelsAsAGatewayTakes) {
  std::string labels;
  for (std::size_t i = 1; i < gateway::limits::kLabelsMax; ++i) {
    labels += (i == 1 ? "" : ",") + std::string("\"l") + std::to_string(i) + "\":\"x\"";
  }
  const std::string head = R"({"kind":"image","body":{"prompt":"x"},"labels":{)";
  EXPECT_THAT(Read(head + labels + "}}").bad, IsEmpty());
  EXPECT_THAT(Complaint(head + labels + R"(,"one":"more"}})"), HasSubstr("65 labels"));
}

TEST(BatchFile, ABodyOfAnyDepthHasARequestId) {
  const std::string deep(100'000, '[');
  const std::string line = R"({"kind":"render","body":{"output":{},"elements":[],"x":)" + deep +
                           std::string(deep.size(), ']') + "}}";
  EXPECT_THAT(IdsOf(line), SizeIs(1));
}

TEST(BatchFile, ALineMayHaveARequestIdOfItsOwn) {
  const std::string line = R"({"kind":"image","requestId":"mine","body":{"prompt":"A lake"}})";
  const Batch batch = Read(line + "\n" + R"({"kind":"image","body":{"prompt":"A lake"}})" + "\n" +
                           R"({"kind":"image","request":{"prompt":"A lake","requestId":"own"}})");
  ASSERT_THAT(batch.lines, SizeIs(3));
  EXPECT_EQ(As<GenerateImageRequest>(batch.lines[0]).request_id(), "mine");
  EXPECT_EQ(As<GenerateImageRequest>(batch.lines[1]).request_id(),
            IdsOf(R"({"kind":"image","body":{"prompt":"A lake"}})")[0]);
  EXPECT_EQ(batch.lines[2].request_id, "own");
  const Batch twice = Read(line + "\n" + line);
  ASSERT_THAT(twice.bad, SizeIs(1));
  EXPECT_THAT(twice.bad[0].what, HasSubstr("is that of line 1"));
}

TEST(BatchFile, LabelsOfTheLineStandBeforeThoseOfTheCommand) {
  Invocation invocation;
  invocation.labels = {{"team", "all"}, {"run", "7"}};
  const Batch batch = Read(
      R"({"kind":"image","labels":{"team":"news"},"request":{"prompt":"A lake","labels":{"x":"y"}}})",
      invocation);
  ASSERT_THAT(batch.lines, SizeIs(1));
  const auto& labels = As<GenerateImageRequest>(batch.lines[0]).labels();
  EXPECT_EQ(labels.size(), 4u);
  EXPECT_EQ(labels.at(kBatchLabel), BatchLabelValue("films.jsonl"));
  EXPECT_EQ(labels.at("team"), "news");
  EXPECT_EQ(labels.at("run"), "7");
  EXPECT_EQ(labels.at("x"), "y");
}

TEST(BatchFile, LabelsOfABodysLineStandBeforeThoseOfTheCommandToo) {
  Invocation invocation;
  invocation.labels = {{"team", "all"}, {"run", "7"}};
  const Batch batch =
      Read(R"({"kind":"image","labels":{"team":"news"},"body":{"prompt":"A lake"}})", invocation);
  const auto& labels = As<GenerateImageRequest>(batch.lines.at(0)).labels();
  EXPECT_EQ(labels.at("team"), "news");
  EXPECT_EQ(labels.at("run"), "7");
}

TEST(BatchFile, ItsLengthIsBounded) {
  const std::string line = "{\"kind\":\"image\",\"body\":{\"prompt\":\"A lake\"}}\n";
  std::string text;
  for (int i = 0; i < gateway::limits::kBatchLinesMax; ++i) text += line;
  EXPECT_THAT(Read(text).bad, IsEmpty());
  const Batch longer = Read(text + line + line);
  ASSERT_THAT(longer.bad, SizeIs(1));
  EXPECT_THAT(longer.bad[0].what, HasSubstr("10000 lines"));
  const std::string large(gateway::limits::kRequestMaxBytes + 1, ' ');
  EXPECT_THAT(Complaint("{" + large + "}"), HasSubstr("16777216"));
}

}  // namespace
}  // namespace pictory_jobs::cli
