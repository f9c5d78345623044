#include <gtest/gtest.h>

#include "base/errors.h"
#include "pictory/submit_reply.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

using test::Cut;
using test::NotSent;
using test::Reply;
using Outcome = SubmitReply::Outcome;
using namespace std::chrono_literals;

SubmitReply ReadSubmit(const http::Response& response) {
  return ReadSubmitReply(response, WallTime{});
}

TEST(SubmitAccepted, ByEverySpellingOfTheId) {
  struct Case {
    const char* body;
    const char* id;
  };
  for (const Case& c : {
           Case{R"({"success":true,"data":{"jobId":"a"}})", "a"},
           Case{R"({"success":true,"jobId":"a","data":{"job_id":"a"}})", "a"},
           Case{R"({"success":true,"data":{"job_id":"b"}})", "b"},
           Case{R"({"jobId":"c"})", "c"},
           Case{R"({"job_id":"d","success":true})", "d"},
           Case{R"({"job_id":"4","jobId":"3","data":{"job_id":"2","jobId":"1"}})", "1"},
           Case{R"({"job_id":"4","jobId":"3","data":{"job_id":"2"}})", "2"},
           Case{R"({"job_id":"4","jobId":"3"})", "3"},
           Case{R"({"data":{"jobId":"53g4-x/...?"}})", "53g4-x/...?"},
           Case{R"({"data":{"jobId":12345}})", "12345"},
           Case{R"({"data":{"jobId":"","job_id":null},"jobId":"e"})", "e"},
           Case{R"({"data":null,"jobId":"f"})", "f"},
           Case{R"({"data":[],"jobId":"g"})", "g"},
       }) {
    const SubmitReply reply = ReadSubmit(Reply(200, c.body));
    EXPECT_EQ(reply.outcome, Outcome::kAccepted) << c.body;
    EXPECT_EQ(reply.pictory_job_id, c.id) << c.body;
  }
  EXPECT_EQ(ReadSubmit(Reply(201, R"({"data":{"jobId":"a"}})")).outcome, Outcome::kAccepted);
  EXPECT_EQ(ReadSubmit(Reply(202, R"({"data":{"jobId":"a"}})")).outcome, Outcome::kAccepted);
}

TEST(SubmitAccepted, AnIdOutweighsWords) {
  // A job that Pictory named may be billed; what became of it, the polls will tell.
  const SubmitReply reply = ReadSubmit(
      Reply(200, R"({"job_id":"a","success":false,"data":{"status":"failed","error_code":"X"}})"));
  EXPECT_EQ(reply.outcome, Outcome::kAccepted);
}

TEST(SubmitUnknown, WhereNoCompleteAnswerSaysWhatBecameOfIt) {
  for (const int status : {301, 302, 408, 409, 425, 500, 501, 502, 503, 504, 520}) {
    const SubmitReply reply = ReadSubmit(Reply(status, R"({"success":false,"message":"m"})"));
    EXPECT_EQ(reply.outcome, Outcome::kUnknown) << status;
    EXPECT_NE(reply.detail.find(std::to_string(status)), std::string::npos);
  }
  EXPECT_EQ(ReadSubmit(Cut("timeout")).outcome, Outcome::kUnknown);
  EXPECT_EQ(ReadSubmit(Cut("reset", 200, R"({"data":{"jobId":"a"}})")).outcome, Outcome::kUnknown);
  EXPECT_EQ(ReadSubmit(Cut("reset", 400, R"({"code":"INVALID_REQUEST_BODY"})")).outcome,
            Outcome::kUnknown);
  EXPECT_EQ(ReadSubmit(Cut("reset", 429)).outcome, Outcome::kUnknown);
}

TEST(SubmitUnknown, A2xxWithNeitherIdNorError) {
  for (const char* body :
       {"", "{}", "null", "[]", "OK", "<html></html>", R"({"success":true})",
        R"({"success":true,"data":{}})", R"({"success":true,"data":{"jobId":""}})",
        R"({"data":{"jobId":"has space"}})", R"({"data":{"jobId":{"id":"a"}}})",
        R"({"data":{"jobId":true}})", R"({"data":{"jobId":"a")", R"({"jobId":"a"} trailing)",
        R"({"code":200,"message":"ok"})", R"({"error":null,"success":true})", R"({"error":{}})"}) {
    EXPECT_EQ(ReadSubmit(Reply(200, body)).outcome, Outcome::kUnknown) << body;
  }
  const std::string long_id(257, 'a');
  EXPECT_EQ(ReadSubmit(Reply(200, R"({"data":{"jobId":")" + long_id + "\"}}")).outcome,
            Outcome::kUnknown);
  EXPECT_EQ(ReadSubmit(Reply(200, R"({"data":{"jobId":")" + long_id.substr(1) + "\"}}")).outcome,
            Outcome::kAccepted);
}

TEST(SubmitRefused, ValidationErrorsNameTheFields) {
  const SubmitReply reply = ReadSubmit(Reply(
      400,
      R"({"code":"INVALID_REQUEST_BODY","message":"bad body","fields":[{"name":"scenes","errors":"is required"}]})"));
  EXPECT_EQ(reply.outcome, Outcome::kRefused);
  EXPECT_EQ(reply.error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Reason(reply.error), "UPSTREAM_INVALID");
  const auto violations = errors::Violations(reply.error);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "scenes");
  EXPECT_EQ(violations[0].description, "is required");
  const std::string message(reply.error.message());
  EXPECT_NE(message.find("bad body"), std::string::npos) << message;
  EXPECT_NE(message.find("scenes: is required"), std::string::npos) << message;
  EXPECT_NE(message.find("INVALID_REQUEST_BODY"), std::string::npos) << message;
}

TEST(SubmitRefused, FieldsMayBeListsOrMissing) {
  SubmitReply reply = ReadSubmit(Reply(
      400,
      R"({"message":"m","fields":[{"name":"a","errors":["e1","e2"]},{"errors":[{"message":"deep"}]},7,{"name":"c"}]})"));
  EXPECT_EQ(reply.error.code(), absl::StatusCode::kInvalidArgument);
  const auto violations = errors::Violations(reply.error);
  ASSERT_EQ(violations.size(), 3U);
  EXPECT_EQ(violations[0].description, "e1; e2");
  EXPECT_EQ(violations[1].field, "");
  EXPECT_EQ(violations[1].description, "deep");
  EXPECT_EQ(violations[2].description, "refused by Pictory");
  for (const char* body : {R"({"code":"INVALID_REQUEST_BODY","message":"m"})", R"({"fields":{}})",
                           R"({"fields":"x"})", "", "not json", "<html>"}) {
    reply = ReadSubmit(Reply(400, body));
    EXPECT_EQ(reply.outcome, Outcome::kRefused) << body;
    EXPECT_EQ(reply.error.code(), absl::StatusCode::kInvalidArgument) << body;
    EXPECT_TRUE(errors::Violations(reply.error).empty()) << body;
  }
}

TEST(SubmitRefused, ByStatusAndCode) {
  struct Case {
    int status;
    const char* body;
    absl::StatusCode code;
    const char* reason;
  };
  using Code = absl::StatusCode;
  for (const Case& c : {
           Case{401, R"({"message":"Unauthorized"})", Code::kFailedPrecondition,
                "UPSTREAM_CREDENTIALS"},
           Case{402, R"({"error_code":"INSUFFICIENT_CREDITS"})", Code::kResourceExhausted,
                "UPSTREAM_CREDITS"},
           Case{400, R"({"code":"INSUFFICIENT_CREDITS"})", Code::kResourceExhausted,
                "UPSTREAM_CREDITS"},
           Case{200, R"({"success":false,"error":{"error_code":"INSUFFICIENT_CREDITS"}})",
                Code::kResourceExhausted, "UPSTREAM_CREDITS"},
           Case{403, R"({"message":"Forbidden"})", Code::kPermissionDenied, "UPSTREAM_FORBIDDEN"},
           Case{403, "<html>error code: 1010</html>", Code::kPermissionDenied,
                "UPSTREAM_FORBIDDEN"},
           Case{404, R"({"message":"no"})", Code::kNotFound, "UPSTREAM_NOT_FOUND"},
           Case{400, R"({"error_code":"5000","error_message":"JOB_NOT_FOUND"})", Code::kNotFound,
                "UPSTREAM_NOT_FOUND"},
           Case{400, R"({"error_code":5000})", Code::kNotFound, "UPSTREAM_NOT_FOUND"},
           Case{405, "", Code::kFailedPrecondition, "UPSTREAM_REFUSED"},
           Case{413, "", Code::kInvalidArgument, "UPSTREAM_TOO_LARGE"},
           Case{422, "{}", Code::kInvalidArgument, "UPSTREAM_INVALID"},
           Case{200, R"({"success":false})", Code::kFailedPrecondition, "UPSTREAM_REFUSED"},
           Case{200, R"({"success":"false"})", Code::kFailedPrecondition, "UPSTREAM_REFUSED"},
           Case{200, R"({"success":false,"error":{"error_message":"m","error_code":890}})",
                Code::kFailedPrecondition, "UPSTREAM_REFUSED"},
           Case{200, R"({"error":{"message":"m"}})", Code::kFailedPrecondition, "UPSTREAM_REFUSED"},
           Case{200, R"({"data":{"status":"failed"}})", Code::kFailedPrecondition,
                "UPSTREAM_REFUSED"},
       }) {
    const SubmitReply reply = ReadSubmit(Reply(c.status, c.body));
    EXPECT_EQ(reply.outcome, Outcome::kRefused) << c.status << c.body;
    EXPECT_EQ(reply.error.code(), c.code) << c.status << c.body;
    EXPECT_EQ(errors::Reason(reply.error), c.reason) << c.status << c.body;
    EXPECT_EQ(errors::RetryDelay(reply.error), 0s) << c.status << c.body;
  }
}

TEST(SubmitRefused, TheBotFilterIsNamedAndItsPageNotRepeated) {
  const SubmitReply reply =
      ReadSubmit(Reply(403, "<html>error code: 1010 " + std::string(100'000, 'x')));
  const std::string message(reply.error.message());
  EXPECT_NE(message.find("Cloudflare"), std::string::npos) << message;
  EXPECT_EQ(message.find("xxx"), std::string::npos);
}

TEST(SubmitRefused, ForeignTextIsCleanedAndCut) {
  const SubmitReply reply =
      ReadSubmit(Reply(400, R"({"message":"a\u0000b\nc)" + std::string(10'000, 'x') + R"("})"));
  EXPECT_LT(reply.error.message().size(), 700U);
  EXPECT_EQ(reply.error.message().find('\n'), absl::string_view::npos);
  EXPECT_EQ(reply.error.message().find('\0'), absl::string_view::npos);
}

TEST(SubmitNotSent, NeverConnected) {
  const SubmitReply reply = ReadSubmit(NotSent("could not resolve host"));
  EXPECT_EQ(reply.outcome, Outcome::kNotSent);
  EXPECT_FALSE(reply.rate_limited);
  EXPECT_EQ(reply.error.code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(errors::RetryDelay(reply.error), 0s);
}

TEST(SubmitNotSent, WhatFoundNoPlaceDoesNotSayThatPictoryIsAway) {
  http::Response crowded = NotSent("queued past its deadline");
  crowded.crowded = true;
  const SubmitReply reply = ReadSubmit(crowded);
  EXPECT_EQ(reply.outcome, Outcome::kNotSent);
  EXPECT_TRUE(reply.crowded);
  EXPECT_EQ(errors::Reason(reply.error), "TOO_MANY");
  EXPECT_EQ(reply.error.message().find("reached"), absl::string_view::npos) << reply.error;
}

TEST(SubmitNotSent, RateLimited) {
  SubmitReply reply = ReadSubmit(Reply(429, "", {{"retry-after", "17"}}));
  EXPECT_EQ(reply.outcome, Outcome::kNotSent);
  EXPECT_TRUE(reply.rate_limited);
  EXPECT_EQ(reply.error.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reply.retry_after, 17s);
  EXPECT_EQ(errors::RetryDelay(reply.error), 17s);
  reply = ReadSubmit(Reply(429, "<html>"));
  EXPECT_EQ(reply.outcome, Outcome::kNotSent);
  EXPECT_EQ(reply.retry_after, 0s);
  EXPECT_GT(errors::RetryDelay(reply.error), 0s);
}

TEST(SubmitUnknown, EveryTruncationOfAnAnswer) {
  for (const std::string& body :
       {std::string(R"({"success":true,"data":{"jobId":"84d1dd79"}})"),
        std::string(R"({"success":false,"error":{"error_code":890,"error_message":"m"}})")}) {
    for (std::size_t length = 0; length < body.size(); ++length) {
      EXPECT_EQ(ReadSubmit(Reply(200, body.substr(0, length))).outcome, Outcome::kUnknown)
          << length;
    }
  }
}

TEST(SubmitHint, TheIdThatStandsInWhatCameOfAnAnswer) {
  for (const char* body :
       {R"({"success":true,"data":{"jobId":"p1"}})", R"({"data":{"job_id":"p1","stat)",
        R"({"jobId":"p1")", R"({"job_id":"p1"} trailing)", R"({"message":"\ud83c","jobId":"p1"})",
        R"({"jobId":"p2","data":{"jobId":"p1")"}) {
    for (const int status : {408, 500, 502, 504}) {
      EXPECT_EQ(ReadSubmit(Reply(status, body)).hinted_job_id, "p1") << status << body;
    }
    const SubmitReply cut = ReadSubmit(Cut("reset", 200, body));
    EXPECT_EQ(cut.outcome, Outcome::kUnknown) << body;
    EXPECT_EQ(cut.hinted_job_id, "p1") << body;
    EXPECT_EQ(cut.pictory_job_id, "") << body;
    EXPECT_NE(cut.detail.find("p1"), std::string::npos) << cut.detail;
  }
  EXPECT_EQ(ReadSubmit(Cut("reset", 200, R"({"jobId":1234567,)")).hinted_job_id, "1234567");
}

TEST(SubmitHint, NotWhatIsCutOrStandsElsewhere) {
  for (const char* body :
       {"", "p1", R"({"data":{"jobId":"p)", R"({"jobId":12345)", R"({"jobId":{"id":"p1"}})",
        R"({"id":"p1"})", R"({"jobId":"no id"})", R"({"error":{"jobId":"p1"}})",
        R"([{"jobId":"p1"}])", R"({"data":[{"jobId":"p1"}]})", "<html>jobId: p1</html>"}) {
    EXPECT_EQ(ReadSubmit(Cut("reset", 200, body)).hinted_job_id, "") << body;
    EXPECT_EQ(ReadSubmit(Reply(502, body)).hinted_job_id, "") << body;
  }
}

TEST(SubmitHint, AnAnswerThatIsKnownHasNone) {
  EXPECT_EQ(ReadSubmit(Reply(200, R"({"jobId":"p1"})")).hinted_job_id, "");
  EXPECT_EQ(ReadSubmit(Reply(400, R"({"jobId":"p1"})")).hinted_job_id, "");
}

}  // namespace
}  // namespace gateway::pictory
