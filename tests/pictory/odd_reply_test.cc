// Answers with faults that spoil nothing of what is needed: they are read, as by most programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pictory/all_kinds.h"
#include "pictory/http_reply.h"
#include "pictory/job_list.h"
#include "pictory/job_result.h"
#include "pictory/submit_reply.h"
#include "pictory/token_reply.h"
#include "pictory/upload.h"
#include "pictory/webhook_call.h"
#include "support/fake_transport.h"
#include "support/hostile_bodies.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using Kind = JobReply::Kind;
using test::GoodNewsWith;
using test::OddBody;
using test::Reply;
using ::testing::HasSubstr;

JobReply ReadJob(const std::string& body, v1::JobKind kind) {
  return ReadJobReply(Reply(200, body), kind, 0, WallTime{});
}

std::string PartOf(const JobReply& reply, v1::ResultPart wanted) {
  if (reply.result == nullptr) return "no result: " + reply.detail;
  for (const JobResult::Part& part : reply.result->parts) {
    if (part.part == wanted) return std::string(std::string_view(part.bytes));
  }
  return "no such part";
}

v1::Job FullOf(const JobReply& reply, v1::JobKind kind) {
  v1::Job full;
  const auto wire = ReadFullResult(PartOf(reply, v1::RESULT_PART_RESULT_JSON), kind);
  EXPECT_TRUE(wire.ok()) << wire.status();
  // What is no UTF-8 would not be parsed.
  EXPECT_TRUE(wire.ok() && full.ParseFromString(*wire));
  return full;
}

TEST(OddReply, ToAPollHasItsResult) {
  for (const OddBody& body : test::OddBodies()) {
    for (const v1::JobKind kind : kKinds) {
      if (body.json.size() > 500'000 && kind != v1::JOB_KIND_RENDER)
        continue;  // once is long enough
      const JobReply reply = ReadJob(body.json, kind);
      // A video is no result of a preview.
      const bool render = kind == v1::JOB_KIND_RENDER;
      const bool made =
          reply.kind == Kind::kSucceeded || (!render && reply.kind == Kind::kIncomplete);
      EXPECT_TRUE(body.failed ? reply.kind == Kind::kFailed : made)
          << body.name << ": " << reply.detail;
      if (reply.result == nullptr) continue;
      EXPECT_THAT(PartOf(reply, v1::RESULT_PART_RESULT_JSON), HasSubstr("https://v/x.mp4"));
      EXPECT_EQ(FullOf(reply, v1::JOB_KIND_RENDER).render().video_url(), "https://v/x.mp4")
          << body.name;
    }
  }
}

TEST(OddReply, ToASubmitHasItsId) {
  for (const OddBody& body : test::OddBodies()) {
    const SubmitReply reply = ReadSubmitReply(Reply(200, body.json), WallTime{});
    EXPECT_EQ(reply.outcome, SubmitReply::Outcome::kAccepted) << body.name << ": " << reply.detail;
    EXPECT_EQ(reply.pictory_job_id, body.id) << body.name;
  }
}

TEST(OddReply, InAJobListIsListed) {
  for (const OddBody& body : test::OddBodies()) {
    if (body.json.front() != '{') continue;  // the mark of a whole text
    const auto list = ReadJobList(R"({"items":[{"data":{"jobId":"before"}},)" + body.json +
                                  R"(],"nextPageKey":"no","nextPageKey":"k\ud800"})");
    ASSERT_TRUE(list.ok()) << body.name << ": " << list.status();
    ASSERT_EQ(list->jobs.size(), 2u) << body.name;
    EXPECT_EQ(list->jobs[1].pictory_job_id, body.id) << body.name;
    EXPECT_EQ(list->jobs[1].shown_kind, v1::JOB_KIND_RENDER) << body.name;
    EXPECT_EQ(list->next_page_key, "k\xEF\xBF\xBD");
  }
}

TEST(OddReply, ToACallbackHasItsId) {
  for (
      const char* body :
      {R"({"txt":"a\ud83c","job_id":"a"})", R"({"x":1,"x":2,"job_id":"a"})",
       "{\"txt\":\"\xff\",\"data\":{\"jobId\":\"a\"}}", R"({"x":[NaN,1e400],"job_id":"a"})",
       "\xef\xbb\xbf{\"job_id\":\"a\"}", "{\"txt\":\"a\nb\",\"job_id\":\"a\"}",
       R"({"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"job_id":"a"})",
       R"({"txt":"\udfff","job_id":"a","data":{"transcript":[{"words":[{"word":"On)"}) {
    EXPECT_EQ(JobIdOfWebhookCall(body), "a") << body;
  }
  EXPECT_EQ(JobIdOfWebhookCall(R"({"txt":"\ud83c","job_id":"a)"), "") << "cut within the id";
}

TEST(OddReply, ToATokenRequestHasItsToken) {
  for (const char* body :
       {R"({"access_token":"old","access_token":"t","expires_in":3600})",
        "\xef\xbb\xbf{\"access_token\":\"t\"}", R"({"scope":"\ud800","access_token":"t"})",
        R"({"access_token":"t","expires_in":1e400})", R"({"access_token":"t","expires_in":NaN})",
        "{\"scope\":\"\xff\",\"access_token\":\"t\"}"}) {
    const TokenReply reply = ReadTokenReply(Reply(200, body), WallTime{});
    EXPECT_EQ(reply.kind, TokenReply::Kind::kToken) << body << ": " << reply.detail;
    EXPECT_TRUE(reply.token == Secret("t")) << body;
  }
  const auto refused = ReadTokenReply(Reply(400, "\xef\xbb\xbf{\"message\":\"no\"}"), WallTime{});
  EXPECT_EQ(refused.kind, TokenReply::Kind::kRefused) << "the mark hides no object";
}

TEST(OddReply, ToAnUploadHasItsPlace) {
  for (const char* more :
       {R"("key":"\ud83c")", R"("a":1,"a":2)", R"("a":NaN)", "\"key\":\"\xff\""}) {
    const auto reply = ReadUploadReply(
        Reply(200, std::string(R"({"success":true,"data":{"signedUrl":"https://no.com/",)") +
                       R"("signedUrl":"https://s3.com/k?s=1","url":"https://f.com/k",)" + more +
                       "}}"),
        "video/mp4", WallTime{}, false);
    ASSERT_TRUE(reply.ok()) << more << ": " << reply.status();
    EXPECT_EQ(reply->signed_url(), "https://s3.com/k?s=1");
  }
}

TEST(OddReply, ARefusalKeepsItsWords) {
  const SubmitReply reply = ReadSubmitReply(
      Reply(400,
            R"({"code":"INVALID_REQUEST_BODY","message":"bad \ud83c body","message":"bad body",)"
            R"("fields":[{"name":"no","name":"scenes","errors":"is \udc00 wrong"}]})"),
      WallTime{});
  EXPECT_EQ(reply.outcome, SubmitReply::Outcome::kRefused);
  EXPECT_THAT(std::string(reply.error.message()), HasSubstr("bad body"));
  EXPECT_THAT(std::string(reply.error.message()), HasSubstr("scenes: is \xEF\xBF\xBD wrong"));
}

TEST(OddReply, TextsKeepAllThatCanBeReadOfThem) {
  const std::string body =
      "{\"success\":true,\"data\":{\"status\":\"completed\",\"txt\":\"cut \\ud83c, raw \xff.\","
      "\"srt\":\"1\n2\\n3\",\"vtt\":\"old\",\"vtt\":\"\\ud83d\\ude00\xE2\x82!\","
      "\"mediaInfo\":{\"d\":1e400,\"n\":\"\xff\",\"d\":[NaN]},"
      "\"transcript\":[{\"words\":[{\"word\":\"a\\ud83c\"},{\"word\":\"b\xC3\"}]}]}}";
  const JobReply reply = ReadJob(body, v1::JOB_KIND_TRANSCRIPTION);
  ASSERT_EQ(reply.kind, Kind::kSucceeded) << reply.detail;
  const std::string kLost = "\xEF\xBF\xBD";
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_TXT), "cut " + kLost + ", raw " + kLost + ".");
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_SRT), "1\n2\n3");
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_VTT), "\xF0\x9F\x98\x80" + kLost + "!");
  // Raw parts are the bytes that came.
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_TRANSCRIPT_JSON),
            "[{\"words\":[{\"word\":\"a\\ud83c\"},{\"word\":\"b\xC3\"}]}]");
  const std::string data =
      body.substr(body.find("{\"status"), body.size() - body.find("{\"status") - 1);
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_RESULT_JSON), data);
  // The message holds the same, and is a message for everybody.
  const v1::Job full = FullOf(reply, v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(full.transcription().txt(), "cut " + kLost + ", raw " + kLost + ".");
  EXPECT_EQ(full.transcription().media_info_json(),
            "{\"d\":1e400,\"n\":\"" + kLost + "\",\"d\":[NaN]}");
  ASSERT_EQ(full.transcription().transcript(0).words_size(), 2);
  EXPECT_EQ(full.transcription().transcript(0).words(0).word(), "a" + kLost);
  EXPECT_EQ(full.transcription().transcript(0).words(1).word(), "b" + kLost);
}

TEST(OddReply, TheLastOfTwoMembersStandsAlone) {
  const JobReply reply = ReadJob(
      R"({"success":true,"data":{"status":"completed","videoURL":"https://v/x.mp4","txt":"no","txt":null,)"
      R"("summaries":["no"],"transcript":[{"words":[{"word":"no","highlight":true}]}],)"
      R"("transcript":[{"text":"yes","words":[{"word":"no"}],"words":[]}],"summaries":["yes"]}})",
      v1::JOB_KIND_TRANSCRIPTION);
  ASSERT_EQ(reply.kind, Kind::kSucceeded) << reply.detail;
  EXPECT_EQ(PartOf(reply, v1::RESULT_PART_TXT), "no such part");
  const v1::Job full = FullOf(reply, v1::JOB_KIND_TRANSCRIPTION);
  EXPECT_EQ(full.transcription().txt(), "");
  ASSERT_EQ(full.transcription().transcript_size(), 1);
  EXPECT_EQ(full.transcription().transcript(0).text(), "yes");
  EXPECT_EQ(full.transcription().transcript(0).words_size(), 0);
  // So does the last of two ids, even if it is none.
  EXPECT_EQ(
      ReadSubmitReply(Reply(200, R"({"data":{"jobId":"a","job_id":"b","jobId":null}})"), WallTime{})
          .pictory_job_id,
      "b");
}

TEST(OddReply, AnIdMayBeAnyNumber) {
  for (const char* id : {"123456789012345678901234567890", "1e400", "12345678901234567890.125"}) {
    EXPECT_EQ(
        ReadSubmitReply(Reply(200, std::string(R"({"data":{"jobId":)") + id + "}}"), WallTime{})
            .pictory_job_id,
        id);
  }
  EXPECT_EQ(ReadSubmitReply(Reply(200, R"({"data":{"jobId":NaN,"job_id":"b"}})"), WallTime{})
                .pictory_job_id,
            "b");
}

TEST(OddReply, WhatIsNoWordIsReadAsBefore) {
  // A success in quotes is one; a number says nothing, and the rest decides.
  EXPECT_EQ(ReadJob(R"({"success":"false","data":{}})", v1::JOB_KIND_RENDER).kind, Kind::kFailed);
  for (const char* success : {"\"true\"", "1", "0", "null", "NaN"}) {
    const std::string body = std::string(R"({"success":)") + success +
                             R"(,"data":{"status":"completed","videoURL":"https://v/x.mp4"}})";
    EXPECT_EQ(ReadJob(body, v1::JOB_KIND_RENDER).kind, Kind::kSucceeded) << success;
  }
}

TEST(OddReply, ManyKeysAndLargeNumbersAreRead) {
  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += "\"k" + std::to_string(i) + "\":0,";
  for (const std::string& member :
       {std::string(R"("a":18446744073709551616)"), std::string(R"("videoDuration":1e300)"),
        std::string(R"("videoDuration":18446744073709551616)"), std::string(R"("a":1e-400)"),
        std::string(R"("a":"\u0000")"), std::string(R"("a":"\ud83d\ude00")"),
        "\"a\":" + std::string(29, '[') + std::string(29, ']'), keys + "\"a\":1"}) {
    const http::Response response = Reply(200, GoodNewsWith(member));
    const std::string name = member.substr(0, 50);
    EXPECT_EQ(ReadJobReply(response, v1::JOB_KIND_RENDER, 0, WallTime{}).kind, Kind::kSucceeded)
        << name;
    EXPECT_EQ(ReadSubmitReply(response, WallTime{}).pictory_job_id, "x") << name;
  }
}

TEST(OddReply, DurationsThatNoDoubleHoldsAreLeftOut) {
  for (const char* value : {"1e400", "NaN", "Infinity"}) {
    const JobReply reply =
        ReadJob(GoodNewsWith(std::string("\"videoDuration\":") + value), v1::JOB_KIND_RENDER);
    ASSERT_EQ(reply.kind, Kind::kSucceeded) << value;
    EXPECT_FALSE(FullOf(reply, v1::JOB_KIND_RENDER).render().has_video_duration_seconds()) << value;
  }
}

TEST(OddReply, WhatIsNoIdIsPassedOver) {
  for (const std::string& id :
       {std::string(R"("a\u0000b")"), std::string(R"("a\r\nX-Injected: 1")"), std::string(R"("")"),
        std::string(R"("é")"), std::string(R"("..")"), std::string("true"), std::string("[\"y\"]"),
        '"' + std::string(257, 'i') + '"'}) {
    const std::string body =
        R"({"success":true,"data":{"jobId":)" + id + R"(,"job_id":"second"},"jobId":)" + id + "}";
    EXPECT_EQ(ReadSubmitReply(Reply(200, body), WallTime{}).pictory_job_id, "second") << id;
    const std::string none = R"({"success":true,"data":{"jobId":)" + id + "}}";
    EXPECT_EQ(ReadSubmitReply(Reply(200, none), WallTime{}).outcome, SubmitReply::Outcome::kUnknown)
        << id;
  }
}

TEST(OddReply, IntegersThatDoNotFitAreLeftOut) {
  const http::Response response = Reply(
      200, R"({"data":{"status":"completed","transcript":[{"speakerId":18446744073709551616,)"
           R"("words":[{"word":"a","speakerId":1.5,"sentence_index":-9223372036854775809}]}]}})");
  const JobReply reply = ReadJobReply(response, v1::JOB_KIND_TRANSCRIPTION, 0, WallTime{});
  ASSERT_EQ(reply.kind, JobReply::Kind::kSucceeded);
  const auto wire = ReadFullResult(reply.result->parts[0].bytes, v1::JOB_KIND_TRANSCRIPTION);
  v1::Job full;
  ASSERT_TRUE(wire.ok() && full.ParseFromString(*wire));
  const v1::Sentence& sentence = full.transcription().transcript(0);
  EXPECT_FALSE(sentence.has_speaker_id());
  EXPECT_EQ(sentence.words(0).word(), "a");
  EXPECT_FALSE(sentence.words(0).has_speaker_id());
  EXPECT_FALSE(sentence.words(0).has_sentence_index());
}

}  // namespace
}  // namespace gateway::pictory
