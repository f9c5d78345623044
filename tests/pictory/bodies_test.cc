// A documented body can be pasted into a typed request, or given as text, and the same JSON is sent
// to Pictory.
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "pictory/bodies.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/translate.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Struct;

void ExpectSentAsItIs(const google::protobuf::Message& request, const std::string& body) {
  for (const errors::Violation& violation : Validate(request, {})) {
    ADD_FAILURE() << violation.field << ": " << violation.description;
  }
  const auto sent = Translate(request, "", "", {});
  ASSERT_TRUE(sent.ok()) << sent.status();
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(FromJson<Struct>(body), FromJson<Struct>(*sent->body)))
      << difference << "\n"
      << *sent->body;
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
  } else {
    ASSERT_EQ(kind, "summarize");
    ExpectSentAsItIs(FromJson<v1::SummarizeRequest>(text), text);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Bodies, testing::ValuesIn(PublishedBodies()),
                         [](const auto& body) { return body.param.kind + "_" + body.param.name; });

TEST(Bodies, AreAllThere) { EXPECT_GE(PublishedBodies().size(), 34u); }

}  // namespace
}  // namespace gateway::pictory
