#include <gtest/gtest.h>

#include "pictory/all_kinds.h"
#include "pictory/job_reply.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using Kind = JobReply::Kind;
using test::Cut;
using test::NotSent;
using test::Reply;
using namespace std::chrono_literals;

JobReply Read(const http::Response& response, v1::JobKind kind = v1::JOB_KIND_RENDER) {
  return ReadJobReply(response, kind, 0, WallTime{});
}
JobReply ReadBody(const std::string& body, v1::JobKind kind = v1::JOB_KIND_RENDER) {
  return Read(Reply(200, body), kind);
}

// What a reply keeps where there is no usable result: RESULT_JSON, and nothing else.
std::string RawOf(const JobReply& reply) {
  if (reply.result == nullptr || reply.result->parts.size() != 1) return "no such result";
  EXPECT_EQ(reply.result->parts[0].part, v1::RESULT_PART_RESULT_JSON);
  return std::string(std::string_view(reply.result->parts[0].bytes));
}

TEST(JobReplyHttp, SpeaksBeforeTheBody) {
  const std::string good =
      R"({"success":true,"data":{"status":"completed","videoURL":"https://x"}})";
  struct Case {
    http::Response response;
    Kind kind;
  };
  for (const Case& c : {
           Case{Reply(429, good), Kind::kRateLimited},
           Case{Cut("reset", 429), Kind::kRateLimited},
           Case{Reply(401, R"({"message":"Unauthorized"})"), Kind::kCredentials},
           Case{Reply(401, good), Kind::kCredentials},
           Case{Reply(403, R"({"message":"Forbidden"})"), Kind::kCredentials},
           Case{Reply(403, "<html>error code: 1010</html>"), Kind::kUnavailable},
           Case{Reply(403, ""), Kind::kUnavailable},
           Case{Reply(404, ""), Kind::kNotFound},
           Case{Reply(404, R"({"error_code":"5000","error_message":"JOB_NOT_FOUND"})"),
                Kind::kNotFound},
           Case{Reply(500, R"({"error_code":"5000"})"), Kind::kNotFound},
           Case{Reply(400, R"({"error":{"error_message":"JOB_NOT_FOUND"}})"), Kind::kNotFound},
           Case{Reply(500, good), Kind::kUnavailable},
           Case{Reply(502, "<html>"), Kind::kUnavailable},
           Case{Reply(503, ""), Kind::kUnavailable},
           Case{Reply(301, ""), Kind::kUnavailable},
           Case{Reply(408, R"({"message":"m"})"), Kind::kUnavailable},
           Case{Reply(400, R"({"message":"m"})"), Kind::kUnreadable},
           Case{Reply(400, ""), Kind::kUnreadable},
           Case{Reply(413, "<html>"), Kind::kUnreadable},
           Case{Reply(418, good), Kind::kUnreadable},
           // The request is refused, or nobody knows what: no word of a job that failed.
           Case{Reply(400, R"({"success":false,"error":{"error_code":"BAD"}})"), Kind::kUnreadable},
           Case{Reply(400, R"({"status":"failed","message":"m"})"), Kind::kUnreadable},
           Case{Reply(400, R"({"success":false,"data":{"status":"in-progress"},"error":"m"})"),
                Kind::kUnreadable},
           Case{Reply(403, "{\"cut"), Kind::kUnavailable},
           Case{Reply(404, R"({"success":false,"data":{"status":"failed","error_code":"X"}})"),
                Kind::kNotFound},
           Case{NotSent(), Kind::kUnavailable},
           Case{Cut(), Kind::kUnavailable},
           Case{Cut("reset", 200, good), Kind::kUnavailable},
           Case{Cut("reset", 401), Kind::kUnavailable},
           Case{Cut("reset", 404), Kind::kUnavailable},
       }) {
    const JobReply reply = Read(c.response);
    EXPECT_EQ(reply.kind, c.kind) << c.response.status << " " << c.response.body;
    EXPECT_FALSE(reply.detail.empty());
    EXPECT_EQ(reply.digest, 0U);
    EXPECT_EQ(reply.result, nullptr);
  }
}

TEST(JobReplyHttp, AClientErrorThatTellsOfTheJobsFailureIsOne) {
  for (const char* body :
       {R"({"success":false,"data":{"status":"failed","error_code":"X","error_message":"no"}})",
        R"({"data":{"status":"FAILED","error_code":"X","error_message":"no"}})",
        R"({"success":false,"status":"failed","error":{"error_code":"X","error_message":"no"}})",
        R"({"success":false,"data":{"status":"error","error_code":"X","error_message":"no"}})"}) {
    for (const int status : {400, 403, 410, 422}) {
      const JobReply reply = Read(Reply(status, body));
      EXPECT_EQ(reply.kind, Kind::kFailed) << status << body;
      EXPECT_EQ(reply.error_code, "X");
      EXPECT_EQ(reply.error_message, "no");
      EXPECT_NE(std::string(body).find(RawOf(reply)), std::string::npos);
      EXPECT_EQ(reply.digest, 0U);
    }
    EXPECT_EQ(Read(Reply(500, body)).kind, Kind::kUnavailable);
  }
}

TEST(JobReplyHttp, WhatIsNotUnderstoodIsToldInWordsThatStayTheSame) {
  struct Case {
    http::Response response;
    const char* message;
  };
  const std::string huge(3000, 'x');
  for (
      const Case& c : {
          Case{Reply(200, ""),
               "Pictory answers HTTP 200 with an empty body; the gateway goes on asking"},
          Case{Reply(204, ""),
               "Pictory answers HTTP 204 with an empty body; the gateway goes on asking"},
          Case{Reply(200, "<html><TITLE>\n We'll be back </title>request 17</html>"),
               "Pictory answers HTTP 200 with a page that is not JSON (\"We'll be back\"); the "
               "gateway "
               "goes on asking"},
          Case{Reply(200, "<html>request 17</html>"),
               "Pictory answers HTTP 200 with a page that is not JSON; the gateway goes on asking"},
          Case{Reply(200, "try\nlater"),
               "Pictory answers HTTP 200 with a page that is not JSON (\"try later\"); the gateway "
               "goes "
               "on asking"},
          Case{Reply(400, R"({"code":"INVALID_REQUEST","message":"no such id"})"),
               "Pictory answers HTTP 400: INVALID_REQUEST: no such id; the gateway goes on asking"},
          Case{Reply(409, R"({"data":{"status":"busy"}})"),
               "Pictory answers HTTP 409 with the status \"busy\"; the gateway goes on asking"},
          Case{Reply(400, "{}"), "Pictory answers HTTP 400; the gateway goes on asking"},
          Case{Reply(200,
                     R"({"success":true,"data":{"status":"canceled","error_message":"by you"}})"),
               "Pictory answers HTTP 200 with the status \"canceled\", which the gateway does not "
               "know: "
               "by you; the gateway goes on asking"},
          Case{
              Reply(200, R"({"success":true,"data":{}})"),
              "Pictory answers HTTP 200 without a status and without a result; the gateway goes on "
              "asking"},
      }) {
    EXPECT_EQ(Read(c.response).message, c.message);
  }
  const std::string cut = Read(Reply(200, R"({"data":{"renderProgress":1,"st)")).message;
  EXPECT_NE(cut.find("HTTP 200 with JSON that cannot be read: "), std::string::npos) << cut;
  EXPECT_EQ(Read(Reply(200, R"({"data":{"renderProgress":100,"st)")).message, cut);
  for (const http::Response& response :
       {Reply(400, R"({"message":")" + huge + R"(","code":")" + huge + R"("})"), Reply(200, huge),
        Reply(200, R"({"data":{"status":")" + huge + R"("}})"), Reply(200, "<title>" + huge)}) {
    EXPECT_LT(Read(response).message.size(), 2 * limits::kUpstreamTextMaxBytes);
  }
}

TEST(JobReplyHttp, RetryAfterIsHandedOn) {
  EXPECT_EQ(Read(Reply(400, "{}", {{"retry-after", "30"}})).retry_after, 30s);
  EXPECT_EQ(Read(Reply(429, "", {{"retry-after", "30"}})).retry_after, 30s);
  EXPECT_EQ(Read(Reply(429, "")).retry_after, 0s);
  EXPECT_EQ(Read(Reply(503, "", {{"retry-after", "5"}})).retry_after, 5s);
}

TEST(JobReplyHttp, TheBotFilterIsNamed) {
  const JobReply reply = Read(Reply(403, "<html>error code: 1010</html>"));
  EXPECT_NE(reply.detail.find("bot filter"), std::string::npos) << reply.detail;
}

TEST(JobReplyHttp, AnAnswerThatTookTooLongIsToldApart) {
  http::Response late = Cut();
  EXPECT_FALSE(Read(late).timed_out);
  late.timed_out = true;
  EXPECT_TRUE(Read(late).timed_out);
  EXPECT_EQ(Read(late).kind, Kind::kUnavailable);
}

TEST(JobReplyBody, UnreadableIsNoOutage) {
  for (const std::string& body :
       {std::string(), std::string("null"), std::string("[]"), std::string("<html>"),
        std::string(R"({"success":true,"data":{"status":"in-prog)"),
        std::string(R"({"success":true}{"success":true})"), std::string("{}\0{}", 5),
        std::string(R"({"data":{"a":tru}})"), std::string(R"({"data":{"a":"\x"}})"),
        R"({"data":)" + std::string(5000, '[')}) {
    const JobReply reply = ReadBody(body);
    if (body == "null" || body == "[]") {
      EXPECT_TRUE(reply.kind == Kind::kUnreadable || reply.kind == Kind::kUnclear) << body;
      continue;
    }
    EXPECT_EQ(reply.kind, Kind::kUnreadable) << body.substr(0, 80);
    EXPECT_LT(reply.detail.size(), 1000U);
    EXPECT_EQ(reply.digest, 0U);
  }
}

TEST(JobReplyBody, UnknownJobUnderHttp200) {
  for (
      const char* body :
      {R"({"success":false,"data":{"error_code":"5000","error_message":"JOB_NOT_FOUND"}})",
       R"({"error_code":5000,"error_message":"JOB_NOT_FOUND"})",
       R"({"success":false,"error":{"error_code":"JOB_NOT_FOUND"}})",
       R"({"success":false,"error":{"error_code":5000}})",
       R"({"success":false,"data":{"status":"failed","error_code":"5000","error_message":"JOB_NOT_FOUND"}})"}) {
    const JobReply reply = ReadBody(body);
    EXPECT_EQ(reply.kind, Kind::kNotFound) << body;
    EXPECT_EQ(reply.digest, 0U);  // each one counts
  }
  // A job that failed with that code is known.
  EXPECT_EQ(ReadBody(R"({"success":false,"data":{"status":"failed","error_code":"5000"}})").kind,
            Kind::kFailed);
}

TEST(JobReplyBody, RunningWithProgressInAnyDress) {
  JobReply reply = ReadBody(R"({"job_id":"a","success":true,"data":{"status":"in-progress"}})");
  EXPECT_EQ(reply.kind, Kind::kRunning);
  EXPECT_FALSE(reply.progress_percent.has_value());
  EXPECT_NE(reply.digest, 0U);
  reply = ReadBody(
      R"({"success":true,"data":{"status":"in-progress","renderProgress":42,"renderProgressMessage":"Generating video","renderState":"RUNNING"}})");
  EXPECT_EQ(reply.progress_percent, 42.0);
  EXPECT_EQ(reply.message, "Generating video");
  struct Case {
    const char* value;
    std::optional<double> percent;
  };
  for (const Case& c : {Case{"\"42\"", 42.0}, Case{"42.5", 42.5}, Case{"0", 0.0}, Case{"null", {}},
                        Case{"\"\"", {}}, Case{"\"soon\"", {}}, Case{"250", 100.0}, Case{"-3", 0.0},
                        Case{"[1]", {}}, Case{"{}", {}}, Case{"true", {}}, Case{"\"nan\"", {}},
                        Case{"\"inf\"", {}}}) {
    reply = ReadBody(
        std::string(R"({"success":true,"data":{"status":"in-progress","renderProgress":)") +
        c.value + "}}");
    EXPECT_EQ(reply.kind, Kind::kRunning) << c.value;
    EXPECT_EQ(reply.progress_percent, c.percent) << c.value;
  }
  EXPECT_EQ(ReadBody(R"({"success":true,"data":{"status":"pending"}})").kind, Kind::kRunning);
}

TEST(JobReplyBody, AdoptedJobShowsItsKindWhileItRuns) {
  const JobReply reply =
      ReadBody(R"({"success":true,"data":{"status":"in-progress","renderState":"RUNNING"}})",
               v1::JOB_KIND_UNSPECIFIED);
  EXPECT_EQ(reply.kind, Kind::kRunning);
  EXPECT_EQ(reply.shown_kind, v1::JOB_KIND_RENDER);
}

TEST(JobReplyBody, FailureComesAs200WithCodesOfAnyType) {
  struct Case {
    const char* body;
    const char* code;
    const char* message;
  };
  for (
      const Case& c : {
          Case{
              R"({"job_id":"a","success":false,"data":{"status":"failed","error_code":"TEXT_TO_VIDEO_FAILED","error_message":"bad speaker"}})",
              "TEXT_TO_VIDEO_FAILED", "bad speaker"},
          Case{R"({"success":false,"error":{"error_message":"m","error_code":890}})", "890", "m"},
          Case{R"({"success":true,"data":{"status":"failed","error_code":"X"}})", "X",
               "Pictory gave no reason"},
          Case{R"({"data":{"status":"failed"}})", "UNSPECIFIED_FAILURE", "Pictory gave no reason"},
          Case{R"({"success":false})", "UNSPECIFIED_FAILURE", "Pictory gave no reason"},
          Case{R"({"success":false,"data":null,"error":"boom"})", "UNSPECIFIED_FAILURE", "boom"},
          Case{R"({"success":"false","data":{"error_code":12.5}})", "12.5",
               "Pictory gave no reason"},
          Case{R"({"success":false,"data":{"status":"completed","videoURL":"https://x"}})",
               "UNSPECIFIED_FAILURE", "Pictory gave no reason"},
          Case{R"({"success":false,"error_code":"INSUFFICIENT_CREDITS"})", "INSUFFICIENT_CREDITS",
               "Pictory gave no reason"},
          Case{R"({"success":false,"data":{"error_code":null},"error":{"error_code":"Y"}})", "Y",
               "Pictory gave no reason"},
      }) {
    const JobReply reply = ReadBody(c.body);
    EXPECT_EQ(reply.kind, Kind::kFailed) << c.body;
    EXPECT_EQ(reply.error_code, c.code) << c.body;
    EXPECT_EQ(reply.error_message, c.message) << c.body;
    EXPECT_EQ(reply.digest, 0U) << "the poll that confirms it must not read as unchanged";
  }
}

TEST(JobReplyBody, WhatPictorySaidOfAFailureIsKeptByteForByte) {
  const std::string data = R"({ "status":"failed", "error_message" : {"scene": 1.0} })";
  EXPECT_EQ(RawOf(ReadBody(R"({"success":false,"data":)" + data + "}")), data);
  const std::string whole = R"({"success":false, "error_code":5001})";
  EXPECT_EQ(RawOf(ReadBody(whole)), whole);
  const JobReply reply = ReadBody(whole);
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(reply.result->basic_wire));
  EXPECT_EQ(job.result_case(), v1::Job::RESULT_NOT_SET);
  EXPECT_EQ(job.omitted_parts_size(), 1);
}

TEST(JobReplyBody, CleanedIsAnEndOfItsOwn) {
  const JobReply reply = ReadBody(R"({"success":true,"data":{"status":"cleaned"}})");
  EXPECT_EQ(reply.kind, Kind::kCleaned);
  EXPECT_EQ(reply.result, nullptr);
}

TEST(JobReplyBody, UnknownStatusIsNeverSuccess) {
  for (const char* body : {R"({"success":true,"data":{"status":"archived"}})",
                           R"({"success":true,"data":{"status":"done"}})",
                           R"({"success":true,"data":null})", R"({"success":true,"data":{}})",
                           R"({"success":true})", "{}", R"({"data":{"status":{"a":1}}})",
                           R"({"data":{"videoURL":null}})", R"({"data":{"videoURL":""}})",
                           R"({"data":{"renderParams":{"scenes":[1]}}})", R"({"status":200})"}) {
    EXPECT_EQ(ReadBody(body, v1::JOB_KIND_RENDER).kind, Kind::kUnclear) << body;
  }
}

TEST(JobReplyBody, AStatusIsTheSameWordInAnyCaseAndDress) {
  const auto kind_of = [](const std::string& word) {
    return ReadBody(R"({"success":true,"data":{"videoURL":"https://x","status":")" + word +
                    R"("}})")
        .kind;
  };
  for (const char* word : {"Completed", "COMPLETED", " completed\\n"}) {
    EXPECT_EQ(kind_of(word), Kind::kSucceeded) << word;
  }
  for (const char* word : {"In-Progress", "IN_PROGRESS", "in progress", "inProgress", "Pending "}) {
    EXPECT_EQ(kind_of(word), Kind::kRunning) << word;
  }
  EXPECT_EQ(kind_of("Failed"), Kind::kFailed);
  EXPECT_EQ(kind_of("CLEANED"), Kind::kCleaned);
}

TEST(JobReplyBody, AResultBesideAnUnknownWordIsOneUnlessSomethingSaysOtherwise) {
  const auto kind_of = [](const std::string& data, v1::JobKind kind = v1::JOB_KIND_RENDER) {
    return ReadBody(R"({"success":true,"data":{)" + data + "}}", kind).kind;
  };
  const std::string video = R"(,"videoURL":"https://x/a.mp4")";
  for (const char* word : {"archived", "done", "success", "ready", "complete", "finished", "ok"}) {
    EXPECT_EQ(kind_of(R"("status":")" + std::string(word) + "\"" + video), Kind::kSucceeded)
        << word;
  }
  for (const char* word :
       {"error", "canceled", "CANCELLED", "aborted", "rejected", "incomplete", "unsuccessful",
        "processing", "Rendering", "queued", "not-ready", "partially_done", "expired"}) {
    EXPECT_EQ(kind_of(R"("status":")" + std::string(word) + "\"" + video), Kind::kUnclear) << word;
  }
  EXPECT_EQ(kind_of(R"("status":"done","error_message":"no")" + video), Kind::kUnclear);
  // What may be there before the end proves nothing.
  EXPECT_EQ(kind_of(R"("status":"done","videoShareURL":"https://s")"), Kind::kUnclear);
  EXPECT_EQ(kind_of(R"("status":"done","srt":"")", v1::JOB_KIND_TRANSCRIPTION), Kind::kUnclear);
}

TEST(JobReplyBody, AbsentStatusWithAResultIsSuccess) {
  struct Case {
    const char* data;
    v1::JobKind kind;
  };
  for (const Case& c : {
           Case{R"({"renderParams":{"audio":{}},"preview":"https://p"})", v1::JOB_KIND_PREVIEW},
           Case{R"({"previewUrl":"https://p"})", v1::JOB_KIND_PREVIEW},
           Case{R"({"videoURL":"https://x/a.mp4"})", v1::JOB_KIND_RENDER},
           Case{R"({"transcript":[{"words":[{"word":"Hi"}]}],"txt":"Hi"})",
                v1::JOB_KIND_TRANSCRIPTION},
           Case{R"({"transcript":[],"txt":""})", v1::JOB_KIND_TRANSCRIPTION},
           Case{R"({"transcript":[{"words":[{"word":"Hi","highlight":true}]}]})",
                v1::JOB_KIND_SUMMARY},
           Case{R"({"url":"https://x/a.png","width":9,"height":9})", v1::JOB_KIND_IMAGE},
           Case{R"({"url":"https://x/a.mp4","duration":"8s"})", v1::JOB_KIND_VIDEO},
           Case{R"({"url":"https://x/a.mp4","lastFrameImageUrl":"https://x/l.png"})",
                v1::JOB_KIND_VIDEO},
       }) {
    const std::string body = std::string(R"({"success":true,"data":)") + c.data + "}";
    EXPECT_EQ(ReadBody(body, c.kind).kind, Kind::kSucceeded) << body;
    const bool mute = std::string_view(c.data).find("[]") != std::string_view::npos;
    const JobReply adopted = ReadBody(body, v1::JOB_KIND_UNSPECIFIED);
    EXPECT_EQ(adopted.kind, Kind::kSucceeded) << body;
    if (!mute) {
      EXPECT_EQ(adopted.shown_kind, c.kind) << body;
    }
  }
  EXPECT_EQ(ReadBody(R"({"data":{"transcript":[]}})", v1::JOB_KIND_TRANSCRIPTION).kind,
            Kind::kUnclear);
}

TEST(JobReplyBody, SpokenWordsAreNotAStatus) {
  const JobReply reply = ReadBody(
      R"({"success":true,"data":{"transcript":[{"words":[{"word":"in-progress"},{"word":"failed"}]}],"txt":"\"status\":\"in-progress\""}})",
      v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(reply.kind, Kind::kSucceeded);
}

TEST(JobReplyBody, RenderWithoutItsVideoIsIncomplete) {
  for (const char* data : {R"({"status":"completed"})", R"({"status":"completed","videoURL":null})",
                           R"({"status":"completed","videoURL":"","videoShareURL":"https://s"})",
                           R"({"status":"completed","videoURL":{}})"}) {
    const JobReply reply = ReadBody(std::string(R"({"success":true,"data":)") + data + "}");
    EXPECT_EQ(reply.kind, Kind::kIncomplete) << data;
    EXPECT_EQ(reply.message,
              "Pictory says completed, but gives no videoURL; the gateway goes on asking");
    EXPECT_FALSE(reply.stands_in);
    EXPECT_EQ(RawOf(reply), data);
    EXPECT_EQ(reply.digest, 0U) << "its age counts from poll to poll";
  }
}

TEST(JobReplyBody, CompletedWithoutAResultIsIncompleteWhateverTheKind) {
  for (const v1::JobKind kind : kKinds) {
    for (
        const char* data :
        {R"({"status":"completed"})", R"({"status":"completed","jobId":"a","progress":100})",
         R"({"status":"Completed","aiCreditsUsed":3,"mediaInfo":{"duration":3}})",
         R"({"status":"completed","preview":null,"videoURL":"","transcript":null,"txt":null,"url":""})",
         R"({"status":"completed","renderParams":{},"storyboard":{},"highlights":[]})"}) {
      const JobReply reply = ReadBody(std::string(R"({"success":true,"data":)") + data + "}", kind);
      EXPECT_EQ(reply.kind, Kind::kIncomplete) << kind << data;
      EXPECT_FALSE(reply.stands_in) << kind << data;
      EXPECT_EQ(RawOf(reply), data);
      EXPECT_EQ(reply.digest, 0U);
      EXPECT_EQ(reply.message.rfind("Pictory says completed, but gives no ", 0), 0U)
          << reply.message;
    }
    EXPECT_EQ(ReadBody(R"({"status":"completed"})", kind).kind, Kind::kIncomplete);
    EXPECT_EQ(ReadBody(R"({"status":"completed","data":null})", kind).kind, Kind::kIncomplete);
  }
}

TEST(JobReplyBody, UnderCompletedLessIsAResultThanWithoutIt) {
  struct Case {
    const char* data;
    std::vector<v1::JobKind> kinds;
  };
  const std::vector<v1::JobKind> speech = {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_TRANSCRIPTION,
                                           v1::JOB_KIND_SUMMARY};
  for (const Case& c : {
           Case{R"("renderParams":{"a":1})", {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_PREVIEW}},
           Case{R"("preview":"https://p")", {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_PREVIEW}},
           Case{R"("previewUrl":"https://p")", {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_PREVIEW}},
           Case{R"("videoURL":"https://v")", {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_RENDER}},
           Case{R"("transcript":[],"mediaInfo":{"duration":3})", speech},
           Case{R"("transcript":[],"txt":null)", speech},
           Case{R"("txt":"")", speech},
           Case{R"("srt":"1")", speech},
           Case{R"("vtt":"WEBVTT")", speech},
           Case{R"("transcript":[{"words":[]}])", speech},
           Case{R"("highlights":[{"text":"a"}])", {v1::JOB_KIND_SUMMARY}},
           Case{R"("url":"https://picture")",
                {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_IMAGE, v1::JOB_KIND_VIDEO}},
       }) {
    for (const v1::JobKind kind : c.kinds) {
      const JobReply reply = ReadBody(
          std::string(R"({"success":true,"data":{"status":"completed",)") + c.data + "}}", kind);
      EXPECT_EQ(reply.kind, Kind::kSucceeded) << kind << c.data;
      EXPECT_NE(reply.result, nullptr);
    }
  }
}

// It is kept at hand, should nothing better come.
TEST(JobReplyBody, WhatStandsWhereAResultIsExpectedIsHandedOnWithAnIncompleteOne) {
  struct Case {
    const char* data;
    std::vector<v1::JobKind> kinds;
  };
  for (const Case& c : {
           Case{R"({"status":"completed","audioURL":"https://a"})",
                {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_PREVIEW, v1::JOB_KIND_TRANSCRIPTION,
                 v1::JOB_KIND_SUMMARY}},
           Case{R"({"status":"completed","transcript":[]})",
                {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_TRANSCRIPTION, v1::JOB_KIND_SUMMARY}},
           Case{R"(["a"])", {v1::JOB_KIND_UNSPECIFIED}},
       }) {
    for (const v1::JobKind kind : c.kinds) {
      const JobReply reply =
          ReadBody(std::string(R"({"status":"completed","data":)") + c.data + "}", kind);
      EXPECT_EQ(reply.kind, Kind::kIncomplete) << kind << c.data;
      ASSERT_TRUE(reply.stands_in) << kind << c.data;
      EXPECT_EQ(std::string_view(reply.result->parts.at(0).bytes), c.data);
    }
  }
  // A render without its video is no render, whatever else is there.
  const JobReply render =
      ReadBody(R"({"data":{"status":"completed","videoShareURL":"https://s"}})");
  EXPECT_EQ(render.kind, Kind::kIncomplete);
  EXPECT_FALSE(render.stands_in);
  EXPECT_EQ(RawOf(render), R"({"status":"completed","videoShareURL":"https://s"})");
}

TEST(JobReplyBody, CreditsAreRead) {
  EXPECT_EQ(ReadBody(R"({"data":{"status":"completed","videoURL":"https://x","aiCreditsUsed":48}})")
                .credits_used,
            48.0);
  EXPECT_EQ(ReadBody(R"({"data":{"status":"in-progress","aiCreditsUsed":"4.5"}})").credits_used,
            4.5);
  EXPECT_FALSE(ReadBody(R"({"data":{"status":"in-progress","aiCreditsUsed":null}})").credits_used);
}

TEST(JobReplyBody, UnchangedIsToldWithoutReading) {
  const http::Response response = Reply(200, R"({"success":true,"data":{"status":"in-progress"}})");
  const JobReply first = ReadJobReply(response, v1::JOB_KIND_RENDER, 0, WallTime{});
  ASSERT_NE(first.digest, 0U);
  const JobReply again = ReadJobReply(response, v1::JOB_KIND_RENDER, first.digest, WallTime{});
  EXPECT_EQ(again.kind, Kind::kUnchanged);
  const JobReply other =
      ReadJobReply(Reply(200, response.body + " "), v1::JOB_KIND_RENDER, first.digest, WallTime{});
  EXPECT_EQ(other.kind, Kind::kRunning);
  // The same bytes under another status are trouble, not the reply before.
  const JobReply trouble =
      ReadJobReply(Reply(500, response.body), v1::JOB_KIND_RENDER, first.digest, WallTime{});
  EXPECT_EQ(trouble.kind, Kind::kUnavailable);
}

TEST(JobReplyBody, ForeignTextIsCleaned) {
  const JobReply reply = ReadBody(R"({"success":false,"data":{"error_message":"a\nb\u0007)" +
                                  std::string(5000, 'x') + R"("}})");
  EXPECT_EQ(reply.error_message.find('\n'), std::string::npos);
  EXPECT_LT(reply.error_message.size(), 600U);
}

TEST(JobReplyBody, NoTruncationAndNoFlippedByteHarms) {
  const std::string body =
      R"({"success":true,"job_id":"j","data":{"status":"completed","videoURL":"https://x/a.mp4",)"
      R"("transcript":[{"words":[{"word":"\u00e9\ud83d\ude00","start_time":0.5,"highlight":true}]}],)"
      R"("renderParams":{"a":[1,"2",null]},"videoDuration":"65.6","aiCreditsUsed":4}})";
  for (const v1::JobKind kind :
       {v1::JOB_KIND_UNSPECIFIED, v1::JOB_KIND_PREVIEW, v1::JOB_KIND_RENDER,
        v1::JOB_KIND_TRANSCRIPTION, v1::JOB_KIND_SUMMARY}) {
    ASSERT_EQ(ReadBody(body, kind).kind, Kind::kSucceeded);
    for (std::size_t length = 0; length < body.size(); ++length) {
      EXPECT_EQ(ReadBody(body.substr(0, length), kind).kind, Kind::kUnreadable) << length;
    }
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const char flip : {'\x01', '\x20', '\x7f', '\x80'}) {
        std::string broken = body;
        broken[at] = static_cast<char>(broken[at] ^ flip);
        const JobReply reply = ReadBody(broken, kind);
        if (reply.kind == Kind::kIncomplete) continue;  // with or without
        EXPECT_EQ(reply.result != nullptr, reply.kind == Kind::kSucceeded);
      }
    }
  }
}

TEST(JobReplyHttp, ALongerBodyThanAllowedIsNoOutage) {
  http::Response cut = Cut("the response body exceeds", 200, "{");
  cut.longer_than_bytes = 3 * limits::kMiB;
  const JobReply reply = Read(cut);
  EXPECT_EQ(reply.kind, Kind::kTooLarge);
  EXPECT_NE(reply.message.find("larger than 3 MiB"), std::string::npos) << reply.message;
  EXPECT_NE(reply.message.find("--max-job-reply-mib"), std::string::npos);
  cut.status = 503;  // a page, and not about the job
  EXPECT_EQ(Read(cut).kind, Kind::kUnavailable);
}

}  // namespace
}  // namespace gateway::pictory
