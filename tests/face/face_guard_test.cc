// Who gets in over HTTP: pages in browsers, strangers, tenants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face_house.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::FaceHouse;
using test::PlainClient;
using test::PlainReply;
using testing::HasSubstr;
using testing::IsEmpty;

FaceOptions WithPage() {
  FaceOptions options;
  options.rules.origins = {"https://app.example.com"};
  return options;
}

constexpr char kPaid[] = R"({"fileUrl":"https://m.example/a.mp4"})";

TEST(FaceGuardTest, NoPageSubmitsAPaidJob) {
  FaceHouse house(WithPage());
  for (const char* const headers :
       {"Content-Type: application/json\r\nOrigin: https://evil.example\r\n",
        "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n",
        "Content-Type: application/json\r\nOrigin: null\r\n", ""}) {
    for (const PlainReply& got : {house.Post("/v1/transcriptions", kPaid, headers),
                                  house.Post("/v1/previews/p1:render", "", headers)}) {
      EXPECT_TRUE(got.status == 403 || got.status == 415) << headers << got.status;
      EXPECT_EQ(got.headers.count("access-control-allow-origin"), 0u) << headers;
    }
  }
  PlainClient rebound(house.port());
  rebound.Send(
      "POST /v1/transcriptions HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(rebound.Read().status, 421);
  // So would this be, if it came from nobody's page.
  const PlainReply own =
      house.Post("/v1/previews/p1:render", "", "Content-Type: application/json\r\n");
  EXPECT_EQ(own.status, 200) << own.body;
  ASSERT_EQ(house.rpc.submitted.size(), 1u);
  house.rpc.submitted.clear();
  EXPECT_THAT(house.rpc.submitted, IsEmpty());
}

TEST(FaceGuardTest, AnAllowedPageIsAnsweredAsBrowsersWantIt) {
  FaceHouse house(WithPage());
  const PlainReply asked = PlainClient(house.port())
                               .Call("OPTIONS", "/v1/transcriptions", "",
                                     "Origin: https://app.example.com\r\n"
                                     "Access-Control-Request-Method: POST\r\n");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.headers.at("access-control-allow-origin"), "https://app.example.com");
  EXPECT_EQ(asked.headers.at("access-control-allow-methods"), "POST");
  EXPECT_THAT(asked.headers.at("access-control-allow-headers"), HasSubstr("Idempotency-Key"));
  const PlainReply done =
      house.Post("/v1/transcriptions", kPaid,
                 "Content-Type: application/json\r\nOrigin: https://app.example.com\r\n");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.headers.at("access-control-allow-origin"), "https://app.example.com");
  EXPECT_EQ(done.headers.at("vary"), "Origin");
  // Errors are to be read too.
  EXPECT_EQ(house.Get("/v1/jobs/none", "Origin: https://app.example.com\r\n")
                .headers.count("access-control-allow-origin"),
            1u);
}

TEST(FaceGuardTest, OneWhoSmugglesIsRefused) {
  FaceHouse house;
  for (const char* const head :
       {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: +2\r\n", "Host: other\r\n"}) {
    PlainClient client(house.port());
    client.Send(std::string("POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Type: application/json\r\n") +
                head + "\r\n{}");
    const int status = client.Read().status;
    EXPECT_TRUE(status == 400 || status == 501) << head << status;
  }
  EXPECT_THAT(house.rpc.submitted, IsEmpty());
}

TEST(FaceGuardTest, NothingOfARequestGetsIntoTheHead) {
  FaceHouse house;
  const PlainReply got = house.Get("/v1/jobs/a%0d%0aX-Evil:%201");
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.headers.count("x-evil"), 0u);
  const PlainReply key = house.Post("/v1/transcriptions", kPaid,
                                    "Content-Type: application/json\r\nIdempotency-Key: a\tb\r\n");
  EXPECT_EQ(key.status, 400);
}

TEST(FaceGuardTest, ALoansNameCannotBeBrought) {
  FaceHouse house;
  grpc::ClientContext context;
  context.AddMetadata("pictory-inside", "00000000000000000000000000000000");
  v1::GetJobRequest request;
  request.set_job_id("none");
  v1::GetJobResponse response;
  EXPECT_FALSE(house.rpc.stub->GetJob(&context, request, &response).ok());
  EXPECT_THAT(house.rpc.ended().back().peer, testing::StartsWith("ipv4:127.0.0.1:"));
}

TEST(FaceGuardTest, HeadersHaveABound) {
  FaceHouse house;
  EXPECT_EQ(house.Get("/v1/jobs/j1", "X-Long: " + std::string(40'000, 'x') + "\r\n").status, 431);
  // What of them is metadata has the bound of all calls.
  const PlainReply many =
      house.Get("/v1/jobs/j1", "Tracestate: " + std::string(20'000, 'x') + "\r\n");
  EXPECT_EQ(many.status, 431);
  EXPECT_THAT(many.body, HasSubstr("METADATA_TOO_LARGE"));
}

}  // namespace
}  // namespace gateway::face
