#include "pictory/failure_words.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "pictory/envelope.h"
#include "pictory/job_reply.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

TEST(FailureWords, AreMadeOfEachShape) {
  struct Case {
    const char* json;
    const char* code;
    const char* message;
  };
  for (
      const Case& c : {
          Case{R"("The speaker is unknown")", "", "The speaker is unknown"},
          Case{
              R"({"error_code":"SYSTEM_EXCEPTION","message":"No file at https://x","scene":1,"error_type":"MEDIA"})",
              "SYSTEM_EXCEPTION", "scene 1: No file at https://x (error_type: MEDIA)"},
          Case{R"([{"message":"a","scene":2},{"message":"b","code":7}])", "7", "scene 2: a; b"},
          Case{R"(["a","b"])", "", "a; b"},
          Case{R"("{\"message\":\"inside\",\"code\":\"X\"}")", "X", "inside"},
          Case{R"(" [\"a\"] ")", "", "a"},
          Case{R"("{not json")", "", "{not json"},
          Case{R"("[see scene 3]")", "", "[see scene 3]"},
          Case{R"({"scene":3})", "", "scene 3"},
          Case{R"({"field":"story","limit":5})", "", "field: story, limit: 5"},
          Case{R"({"error":{"code":"A","message":"deep"}})", "A", "deep"},
          Case{R"({"errorMessage":null,"reason":"last"})", "", "last"},
          Case{R"({"message":""})", "", ""},
          Case{"{}", "", ""},
          Case{"null", "", ""},
          Case{"[]", "", ""},
          Case{"5001", "", "5001"},
      }) {
    const FailureWords words = ReadFailure(c.json);
    EXPECT_EQ(words.code, c.code) << c.json;
    EXPECT_EQ(words.message, c.message) << c.json;
  }
}

TEST(FailureWords, HaveBounds) {
  std::string deep = R"("end")";
  for (int i = 0; i < 60; ++i) deep = "[" + deep + "]";
  EXPECT_EQ(ReadFailure(deep).message, "");
  const std::string many = "[" + std::string(limits::kFailureMaxBytes, ' ') + "1]";
  EXPECT_EQ(ReadFailure(many).message, "Pictory's reason is long");
  const std::string long_text = "\"" + std::string(20'000, 'a') + "\"";
  EXPECT_LE(ReadFailure(long_text).message.size(), limits::kUpstreamTextMaxBytes + 3);
}

TEST(FailureWords, OfAnAnswerComeWithTheCodeThatStandsOutside) {
  const auto envelope = ReadEnvelope(
      R"({"job_id":"j","success":false,"data":{"error_code":"5001","error_message":
          {"error_code":"SYSTEM_EXCEPTION","message":"No file","scene":1}}})");
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->error_code, "5001");
  EXPECT_EQ(envelope->error_message, "scene 1: No file");
  EXPECT_TRUE(envelope->tells_error);
  const auto inner = ReadEnvelope(
      R"({"success":false,"data":{"error_message":{"error_code":"SYSTEM_EXCEPTION","scene":1}}})");
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ(inner->error_code, "");
  EXPECT_EQ(inner->reason_code, "SYSTEM_EXCEPTION");
  EXPECT_EQ(inner->error_message, "scene 1");
  EXPECT_TRUE(inner->tells_error);
}

// A code that stands inside the reason is about what went wrong, not about the question.
TEST(FailureWords, DoNotMakeAFailedJobAnUnknownOne) {
  for (const char* reason : {R"({"error_code":"5000","message":"No file"})",
                             R"({"message":"JOB_NOT_FOUND"})", R"("[\"JOB_NOT_FOUND\"]")"}) {
    const JobReply reply =
        ReadJobReply(test::Reply(200, std::string(R"({"success":false,"data":{"error_message":)") +
                                          reason + "}}"),
                     v1::JOB_KIND_PREVIEW, 0, WallTime{});
    EXPECT_EQ(reply.kind, JobReply::Kind::kFailed) << reason;
  }
  const JobReply named = ReadJobReply(
      test::Reply(200, R"({"success":false,"data":{"error_message":{"code":"X","message":"m"}}})"),
      v1::JOB_KIND_PREVIEW, 0, WallTime{});
  EXPECT_EQ(named.error_code, "X");
}

}  // namespace
}  // namespace gateway::pictory
