#include "pictory/webhook_call.h"

#include <gtest/gtest.h>

namespace gateway::pictory {
namespace {

TEST(JobIdOfWebhookCall, InEverySpelling) {
  for (
      const char* body :
      {R"({"job_id":"53g4-x","success":true,"data":{"status":"completed"}})",
       R"({"jobId":"53g4-x"})", R"({"success":false,"data":{"status":"failed","job_id":"53g4-x"}})",
       R"({"webhookInput":{"job_id":"mine"},"data":{"transcript":[{"words":[]}],"jobId":"53g4-x"}})",
       R"({"job_id":"","data":{"jobId":"53g4-x"}})", "\xEF\xBB\xBF{\"job_id\":\"53g4-x\"}",
       R"({"data":{"job":{"job_id":"53g4-x"}}})", R"({"data":{"job":{"jobId":"53g4-x"}}})",
       R"({"job":{"id":"53g4-x","status":"completed"}})", R"({"data":{"job":{"id":"53g4-x"}}})",
       R"({"job":{"id":"of-something-else","job_id":"53g4-x"}})",
       R"({"job":{"id":"of-something-else"},"data":{"jobId":"53g4-x"}})"}) {
    EXPECT_EQ(JobIdOfWebhookCall(body), "53g4-x") << body;
  }
}

TEST(JobIdOfWebhookCall, NoneIsReadFromAnythingElse) {
  for (const char* body :
       {"", "{}", "null", "[]", "job_id=a", R"({"job_id":)", R"({"job_id":["a"]})",
        R"({"job_id":"a b"})", R"({"job_id":".."})", R"({"job_id":"\u0000"})",
        R"({"data":"{\"job_id\":\"a\"}"})", R"({"id":"a"})"}) {
    EXPECT_EQ(JobIdOfWebhookCall(body), "") << body;
  }
  EXPECT_EQ(JobIdOfWebhookCall(R"({"job_id":")" + std::string(257, 'a') + "\"}"), "");
}

TEST(JobIdOfWebhookCall, TheBeginningOfALongBodyIsEnough) {
  EXPECT_EQ(JobIdOfWebhookCall(R"({"job_id":"a","data":{"transcript":[{"words":[{"word":"On)"),
            "a");
}

}  // namespace
}  // namespace gateway::pictory
