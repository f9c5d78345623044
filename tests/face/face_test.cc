// The API over HTTP, through a whole server in process.
#include "face/face.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "base/errors.h"
#include "face_house.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::Await;
using test::FaceHouse;
using test::MakeJob;
using test::PlainClient;
using test::PlainReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kSubmit[] = R"({"fileUrl":"https://media.example.com/a.mp4","requestId":"r1"})";

TEST(FaceTest, AnswersACallAsJson) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  const PlainReply got = house.Get("/v1/jobs/j1");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.headers.at("content-type"), "application/json");
  EXPECT_EQ(got.headers.at("x-content-type-options"), "nosniff");
  EXPECT_THAT(got.body, HasSubstr(R"("jobId":"j1")"));
  EXPECT_THAT(got.body, HasSubstr(R"("state":"JOB_STATE_RUNNING")"));
}

TEST(FaceTest, SubmitsWhatTheBodySays) {
  FaceHouse house;
  const PlainReply got = house.Post("/v1/transcriptions", kSubmit);
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_THAT(got.body, HasSubstr(R"("jobId":"submitted")"));
  ASSERT_EQ(house.rpc.submitted.size(), 1u);
  EXPECT_EQ(house.rpc.last_submit().request_id, "r1");
  EXPECT_EQ(house.rpc.last_submit().owner.tenant, "default");
}

TEST(FaceTest, AHeaderGivesTheRequestIdAndTheTrace) {
  FaceHouse house;
  const PlainReply got =
      house.Post("/v1/transcriptions", R"({"fileUrl":"https://m.example/a.mp4"})",
                 "Content-Type: application/json\r\nIdempotency-Key: \"key-1\"\r\n"
                 "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(house.rpc.last_submit().request_id, "key-1");
  EXPECT_EQ(house.rpc.last_submit().trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(FaceTest, ToldOfAsAnyCall) {
  FaceHouse house;
  EXPECT_EQ(house.Get("/v1/jobs/nope").status, 404);
  const auto ended = house.rpc.ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].method, "GetJob");
  EXPECT_EQ(errors::Reason(ended[0].status), "JOB_NOT_FOUND");
  EXPECT_THAT(ended[0].peer, testing::StartsWith("ipv4:127.0.0.1:"));
  EXPECT_THAT(house.refused(), IsEmpty());
}

TEST(FaceTest, AMisspeltFieldIsRefusedAndNothingSubmitted) {
  FaceHouse house;
  const PlainReply got =
      house.Post("/v1/transcriptions", R"({"fileUrl":"https://m.example/a.mp4","requestID":"r1"})");
  EXPECT_EQ(got.status, 400);
  EXPECT_THAT(got.body, HasSubstr("did you mean requestId?"));
  EXPECT_THAT(got.body, HasSubstr(R"("reason":"INVALID_REQUEST")"));
  EXPECT_THAT(house.rpc.submitted, IsEmpty());
  // The server tells of it as of a refusal of its own, once.
  const auto ended = house.rpc.ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].method, "Transcribe");
  EXPECT_EQ(errors::Reason(ended[0].status), "INVALID_REQUEST");
}

struct BadBody {
  const char* body;
  const char* says;
};

TEST(FaceTest, BodiesThatAreNotJsonAreRefused) {
  FaceHouse house;
  for (const BadBody& bad :
       {BadBody{"{", "cannot be read as JSON"}, BadBody{"{'a':1}", "cannot be read as JSON"},
        BadBody{R"({"fileUrl":"x",})", "cannot be read as JSON"},
        BadBody{R"({"fileUrl":"a","fileUrl":"b"})", "twice"},
        BadBody{R"({"fileUrl":"a","file_url":"b"})", "is there already, as fileUrl"},
        BadBody{"[]", "must be an object"}, BadBody{"1", "must be an object"},
        BadBody{"{} {}", "cannot be read as JSON"}, BadBody{"{\"fileUrl\":\"\xFF\"}", "UTF-8"},
        BadBody{R"({"fileUrl":7})", "must be a string"},
        BadBody{R"({"labels":[]})", "must be an object"},
        BadBody{R"({"labels":{"a":1}})", "must be a string"}}) {
    const PlainReply got = house.Post("/v1/transcriptions", bad.body);
    EXPECT_EQ(got.status, 400) << bad.body;
    EXPECT_THAT(got.body, HasSubstr(bad.says)) << bad.body;
  }
  EXPECT_THAT(house.rpc.submitted, IsEmpty());
}

TEST(FaceTest, TheServersOwnRefusalsComeThrough) {
  FaceHouse house;
  const PlainReply wrong = house.Post("/v1/transcriptions", R"({"fileUrl":"bad"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr(R"("field":"file_url","description":"must be https")"));
  house.rpc.on_submit = [](jobs::SubmitRequest, const jobs::Submitter::Done& done) {
    done(errors::SubmitsStopped(std::chrono::seconds(60)), {});
  };
  const PlainReply later = house.Post("/v1/transcriptions", kSubmit);
  EXPECT_EQ(later.status, 429);
  EXPECT_EQ(later.headers.at("retry-after"), "60");
}

TEST(FaceTest, AJobThatIsKnownIsNotSentAgain) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  EXPECT_EQ(house.Get("/v1/jobs/j1").headers.at("etag"), "W/\"3\"");
  const PlainReply same = house.Get("/v1/jobs/j1", "If-None-Match: W/\"3\"\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 4));
  EXPECT_EQ(house.Get("/v1/jobs/j1", "If-None-Match: W/\"3\"\r\n").status, 200);
}

TEST(FaceTest, AHeadHasNoBody) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  PlainClient client(house.port());
  client.Send(test::PlainRequest("HEAD", "/v1/jobs/j1"));
  const PlainReply head = client.ReadHead();
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.headers.at("content-length"), "0");
  EXPECT_EQ(client.Call("GET", "/v1/jobs/j1").status, 200);  // on the same connection
}

TEST(FaceTest, WatchesAJobToItsEnd) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  PlainClient client(house.port());
  client.Send(test::PlainRequest("GET", "/v1/jobs/j1:watch", "", "Connection: close\r\n"));
  const PlainReply head = client.ReadHead();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-type"), "text/event-stream");
  Await([&] { return house.rpc.server->open_watches() == 1; }, "a watch");
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 4));
  EXPECT_TRUE(client.AwaitEnd());
  const std::string again = house.Stream("/v1/jobs/j1:watch");
  EXPECT_THAT(again, testing::StartsWith("id: 4\ndata: {\"job\":{"));
  EXPECT_THAT(again, HasSubstr("JOB_STATE_SUCCEEDED"));
  const std::string lines = house.Stream("/v1/jobs/j1:watch", "Accept: application/x-ndjson\r\n");
  EXPECT_THAT(lines, testing::StartsWith("{\"job\":{"));
}

TEST(FaceTest, AWatchGoesOnAfterItsLastEvent) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 4));
  // A browser connects again when a stream ends, unless it is told that there is nothing.
  EXPECT_EQ(house.Get("/v1/jobs/j1:watch", "Last-Event-ID: 4\r\n").status, 204);
  EXPECT_THAT(house.Stream("/v1/jobs/j1:watch", "Last-Event-ID: 3\r\n"), HasSubstr("id: 4"));
  EXPECT_EQ(house.Get("/v1/jobs/none:watch").status, 404);
  EXPECT_EQ(house.Get("/v1/jobs/j1:watch", "Accept: image/png\r\n").status, 406);
}

TEST(FaceTest, AWatchEndsWithItsConnection) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  {
    PlainClient client(house.port());
    client.Send(test::PlainRequest("GET", "/v1/jobs/j1:watch"));
    EXPECT_EQ(client.ReadHead().status, 200);
    Await([&] { return house.rpc.server->open_watches() == 1; }, "a watch");
  }
  Await([&] { return house.rpc.server->open_watches() == 0; }, "no watch");
}

TEST(FaceTest, WatchesLeavePlacesForCalls) {
  FaceOptions options;
  options.connections_max = 8;
  options.listeners = {{.address = "127.0.0.1:0"}, {.address = "127.0.0.1:0"}};  // four each
  FaceHouse house(std::move(options));
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  const std::string watch = test::PlainRequest("GET", "/v1/jobs/j1:watch");
  std::deque<PlainClient> watchers;
  for (int i = 1; i <= 3; ++i) {
    watchers.emplace_back(house.port(), "127.0.0." + std::to_string(i));
    watchers.back().Send(watch);
    EXPECT_EQ(watchers.back().ReadHead().status, 200);
  }
  PlainClient last(house.port(), "127.0.0.9");
  last.Send(watch);
  const PlainReply refused = last.Read();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("retry-after"), "5");
  EXPECT_THAT(refused.body, HasSubstr("TOO_MANY"));
  EXPECT_EQ(last.Call("GET", "/v1/jobs/j1").status, 200);
  watchers.pop_front();
  Await([&] { return house.face->connections_open() == 3; }, "a free place");
  PlainClient next(house.port(), "127.0.0.8");
  next.Send(watch);
  EXPECT_EQ(next.ReadHead().status, 200);
}

TEST(FaceTest, ACallerWhoLeavesCancelsItsCall) {
  FaceHouse house;
  std::promise<jobs::SubmitRequest> came;
  house.rpc.on_submit = [&came](jobs::SubmitRequest request, jobs::Submitter::Done) {
    came.set_value(std::move(request));
  };
  jobs::SubmitRequest submit;
  {
    PlainClient client(house.port());
    client.Send(test::PlainRequest("POST", "/v1/transcriptions", kSubmit,
                                   "Content-Type: application/json\r\n"));
    submit = came.get_future().get();
    EXPECT_FALSE(submit.cancelled->load());
    client.Reset();
  }
  Await([&] { return submit.cancelled->load(); }, "cancelled");
}

TEST(FaceTest, WhoHasEndedItsHalfOfTheConnectionIsAnswered) {
  FaceHouse house;
  std::promise<jobs::Submitter::Done> came;
  house.rpc.on_submit = [&came](const jobs::SubmitRequest&, jobs::Submitter::Done done) {
    came.set_value(std::move(done));
  };
  PlainClient client(house.port());
  client.Send(test::PlainRequest("POST", "/v1/transcriptions", kSubmit,
                                 "Content-Type: application/json\r\n"));
  client.EndSending();
  const jobs::Submitter::Done done = came.get_future().get();
  // Another caller is served by the same thread, which has seen the end by then.
  EXPECT_EQ(house.Get("/v1/jobs/none").status, 404);
  done(house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1)), {});
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("\"jobId\":\"j1\""));
}

TEST(FaceTest, AWatchOfWhoHasEndedItsHalfGoesOn) {
  for (const char* const accept : {"text/event-stream", "application/x-ndjson"}) {
    SCOPED_TRACE(accept);
    FaceHouse house;
    house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
    PlainClient client(house.port());
    client.Send(test::PlainRequest("GET", "/v1/jobs/j1:watch", "",
                                   std::string("Accept: ") + accept + "\r\n"));
    client.EndSending();
    EXPECT_EQ(client.ReadHead().status, 200);
    Await([&] { return house.rpc.server->open_watches() == 1; }, "a watch");
    EXPECT_EQ(house.Get("/v1/jobs/j1").status, 200);
    house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 4));
    EXPECT_THAT(FaceHouse::Unchunked(client.Rest()), HasSubstr("JOB_STATE_SUCCEEDED"));
  }
}

// The server reads a caller's request for as long as every call's; who is too slow is told so, also
// if nothing more comes.
TEST(FaceTest, WhoIsTooSlowIsTold) {
  rpc::ServerOptions server;
  server.intake.arrival = std::chrono::milliseconds(50);
  FaceHouse house({}, server);
  PlainClient client(house.port());
  client.Send(
      "POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 408);
  EXPECT_THAT(reply.body, HasSubstr("REQUEST_LATE"));
  EXPECT_EQ(reply.headers.at("connection"), "close");
  Await([&] { return house.rpc.ended().size() == 1; }, "an end");
  EXPECT_EQ(errors::Reason(house.rpc.ended()[0].status), "REQUEST_LATE");
}

TEST(FaceTest, WhatIsNoRequestIsRefusedAsJsonToo) {
  FaceOptions options;
  options.read_timeout = std::chrono::milliseconds(50);
  FaceHouse house(std::move(options));
  struct Row {
    std::string request;
    int status;
    const char* reason;
  };
  const std::string begin = "POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\n";
  for (const Row& row :
       {Row{"no HTTP\r\n\r\n", 400, "INVALID_REQUEST"},
        Row{begin + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", 400, "INVALID_REQUEST"},
        Row{begin + "Content-Length: 99999999999999999999\r\n\r\n", 400, "INVALID_REQUEST"},
        Row{begin + "Transfer-Encoding: gzip\r\n\r\n", 501, "NOT_IMPLEMENTED"},
        Row{begin + "X: " + std::string(40'000, 'x') + "\r\n\r\n", 431, "METADATA_TOO_LARGE"},
        Row{begin, 408, "REQUEST_LATE"}}) {
    PlainClient client(house.port());
    client.Send(row.request);
    const PlainReply reply = client.Read();
    EXPECT_EQ(reply.status, row.status) << row.reason;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json") << row.status;
    EXPECT_THAT(reply.body, HasSubstr("\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\""));
    EXPECT_THAT(reply.body, HasSubstr(row.reason));
  }
  EXPECT_THAT(house.refused(),
              ElementsAre("INVALID_REQUEST", "INVALID_REQUEST", "INVALID_REQUEST",
                          "NOT_IMPLEMENTED", "METADATA_TOO_LARGE", "REQUEST_LATE"));
}

TEST(FaceTest, ABodyThatNeverEndsLeavesNothingBehind) {
  FaceHouse house;
  {
    PlainClient client(house.port());
    client.Send(
        "POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\n\r\n{");
    Await([&] { return house.rpc.server->arriving_requests() == 1; }, "a request");
  }
  Await([&] { return house.rpc.server->arriving_requests() == 0; }, "no request");
  Await([&] { return house.rpc.ended().size() == 1; }, "an end");
  EXPECT_EQ(errors::Reason(house.rpc.ended()[0].status), "CANCELLED");
}

TEST(FaceTest, ADeadlineIsTheCallers) {
  FaceHouse house;
  house.rpc.on_submit = [](jobs::SubmitRequest, const jobs::Submitter::Done&) {};
  const PlainReply late = house.Post("/v1/transcriptions", kSubmit,
                                     "Content-Type: application/json\r\nRequest-Timeout: 0.2\r\n");
  EXPECT_EQ(late.status, 504) << late.body;
  EXPECT_THAT(late.body, HasSubstr("DEADLINE_EXCEEDED"));
}

TEST(FaceTest, SaysWhatIsWhere) {
  FaceHouse house;
  const PlainReply nothing = house.Get("/v1/job");
  EXPECT_EQ(nothing.status, 404);
  EXPECT_THAT(nothing.body, HasSubstr("NO_SUCH_PATH"));
  const PlainReply other = PlainClient(house.port()).Call("PUT", "/v1/jobs/j1");
  EXPECT_EQ(other.status, 405);
  EXPECT_EQ(other.headers.at("allow"), "GET, DELETE");
  EXPECT_EQ(house.Get("/v1/jobs?x=%").status, 400);
  EXPECT_THAT(house.refused(),
              ElementsAre("NO_SUCH_PATH", "METHOD_NOT_ALLOWED", "INVALID_REQUEST"));
  EXPECT_EQ(house.Get("/openapi.json").status, 200);
}

TEST(FaceTest, BodiesHaveABound) {
  FaceOptions options;
  options.body_max_bytes = 1000;
  FaceHouse house(std::move(options));
  const std::string large(2000, ' ');
  const PlainReply told = house.Post("/v1/transcriptions", kSubmit + large);
  EXPECT_EQ(told.status, 413) << told.body;
  EXPECT_THAT(told.body, HasSubstr("REQUEST_TOO_LARGE"));
  PlainClient chunked(house.port());
  chunked.Send(
      "POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" +
      large + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.Read().status, 413);
  EXPECT_THAT(house.rpc.submitted, IsEmpty());
  for (const char* const length : {"20000000", "18446744073709551615"}) {
    PlainClient announces(house.port());
    announces.Send(std::string("POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: application/json\r\nContent-Length: ") +
                   length + "\r\n\r\n");
    const PlainReply refused = announces.Read();
    EXPECT_EQ(refused.status, 413);
    EXPECT_THAT(refused.body, HasSubstr(std::string("has ") + length + " bytes"));
  }
}

TEST(FaceTest, ADrainSaysThatTheConnectionEndsWithItsAnswer) {
  FaceHouse house;
  std::promise<jobs::Submitter::Done> came;
  house.rpc.on_submit = [&came](const jobs::SubmitRequest&, jobs::Submitter::Done done) {
    came.set_value(std::move(done));
  };
  PlainClient client(house.port());
  EXPECT_EQ(client.Call("GET", "/v1/jobs/none").headers.at("connection"), "keep-alive");
  client.Send(test::PlainRequest("POST", "/v1/transcriptions", kSubmit,
                                 "Content-Type: application/json\r\n"));
  const jobs::Submitter::Done done = came.get_future().get();
  house.face->Drain();
  done(house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1)), {});
  const PlainReply reply = client.Read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.AwaitEnd());
}

TEST(FaceTest, ALargeBodyIsReadAside) {
  FaceHouse house;
  const std::string body = std::string(300'000, ' ') + kSubmit;
  EXPECT_EQ(house.Post("/v1/transcriptions", body).status, 200);
  EXPECT_EQ(house.rpc.last_submit().request_id, "r1");
}

TEST(FaceTest, ADrainEndsWatchesWithAWord) {
  FaceHouse house;
  house.rpc.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  std::string stream;
  std::thread watcher([&] { stream = house.Stream("/v1/jobs/j1:watch"); });
  Await([&] { return house.rpc.server->open_watches() == 1; }, "a watch");
  house.face->Drain();
  house.rpc.server->Drain(std::chrono::seconds(5));
  house.face->Finish(std::chrono::seconds(5));
  watcher.join();
  EXPECT_THAT(stream, HasSubstr("event: status\ndata: {\"code\":14,"));
  EXPECT_THAT(stream, HasSubstr("DRAINING"));
}

TEST(FaceTest, ListensOnAUnixSocket) {
  const std::string path = testing::TempDir() + "face_test_" + std::to_string(getpid()) + ".sock";
  FaceOptions options;
  options.listeners = {{.address = "unix:" + path}};
  FaceHouse house(std::move(options));
  EXPECT_EQ(house.address, "unix:" + path);
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  house.face.reset();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace gateway::face
