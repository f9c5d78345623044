// A documented body can be pasted into a typed request, or given as text, and the same JSON is sent
// to Pictory.
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "pictory/bodies.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/preview_update.h"
#include "pictory/translate.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Value;

void ExpectValid(const google::protobuf::Message& request) {
  for (const errors::Violation& violation : Validate(request, {})) {
    ADD_FAILURE() << violation.field << ": " << violation.description;
  }
}

void ExpectEqualJson(const std::string& body, const std::string& sent) {
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(FromJson<Value>(body), FromJson<Value>(sent)))
      << difference << "\n"
      << sent;
}

void ExpectSentAsItIs(const google::protobuf::Message& request, const std::string& body) {
  ExpectValid(request);
  const auto sent = Translate(request, "", "", {});
  ASSERT_TRUE(sent.ok()) << sent.status();
  ExpectEqualJson(body, *sent->body);
}

class Bodies : public testing::TestWithParam<PublishedBody> {};

TEST_P(Bodies, IsSentAsItIs) {
  const auto& [kind, name, text] = GetParam();
  if (kind == "storyboard") {
    const std::string request = R"({"requestId":"r","storyboard":)" + text + "}";
    ExpectSentAsItIs(FromJson<v1::CreatePreviewRequest>(request), text);
    ExpectSentAsItIs(FromJson<v1::RenderRequest>(request), text);
    v1::CreatePreviewRequest raw;
    raw.set_storyboard_json(text);
    ExpectSentAsItIs(raw, text);
  } else if (kind == "transcribe") {
    ExpectSentAsItIs(FromJson<v1::TranscribeRequest>(text), text);
  } else if (kind == "summarize") {
    ExpectSentAsItIs(FromJson<v1::SummarizeRequest>(text), text);
  } else if (kind == "image") {
    ExpectSentAsItIs(FromJson<v1::GenerateImageRequest>(text), text);
  } else if (kind == "video") {
    ExpectSentAsItIs(FromJson<v1::GenerateVideoRequest>(text), text);
  } else if (kind == "template") {
    v1::CreatePreviewRequest request;
    *request.mutable_from_template() = TemplateFromJson(text);
    ExpectSentAsItIs(request, text);
    request.set_from_template_json(text);
    ExpectSentAsItIs(request, text);
  } else {
    ASSERT_EQ(kind, "elements");
    const auto request =
        FromJson<v1::UpdatePreviewRequest>(R"({"jobId":"p","elements":)" + text + "}");
    ExpectValid(request);
    const auto sent = PreviewUpdate(request, "p");
    ASSERT_TRUE(sent.ok()) << sent.status();
    ExpectEqualJson(text, *sent->body);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Bodies, testing::ValuesIn(PublishedBodies()),
                         [](const auto& body) { return body.param.kind + "_" + body.param.name; });

TEST(Bodies, AreAllThere) { EXPECT_GE(PublishedBodies().size(), 45u); }

}  // namespace
}  // namespace gateway::pictory
