#include "pictory/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "pictory/client.h"
#include "pictory/translate.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::HeaderOf;
using test::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kPlace[] =
    R"({"success":true,"data":{"signedUrl":"https://b.s3.amazonaws.com/k?X-Amz-Signature=abc",)"
    R"("url":"https://d1.cloudfront.net/k","key":"public/k"}})";

v1::CreateUploadRequest Wanted(const std::string& name, const std::string& type = "") {
  v1::CreateUploadRequest request;
  request.set_file_name(name);
  request.set_content_type(type);
  return request;
}

std::vector<std::string> WrongFields(const v1::CreateUploadRequest& request) {
  std::vector<std::string> fields;
  for (const errors::Violation& violation : Validate(request, {}))
    fields.push_back(violation.field);
  return fields;
}

TEST(UploadCheckTest, TakesAnyTypeAndGuessesTheUsualOnes) {
  EXPECT_THAT(WrongFields(Wanted("talk.mp4")), IsEmpty());
  EXPECT_THAT(WrongFields(Wanted("Ölfilm – 3.MOV")), IsEmpty());
  EXPECT_THAT(WrongFields(Wanted("a.xyz", "application/x-new")), IsEmpty());
  EXPECT_EQ(ContentTypeOf(Wanted("talk.mp4")), "video/mp4");
  EXPECT_EQ(ContentTypeOf(Wanted("talk.mp4", "video/x-own")), "video/x-own");
  EXPECT_THAT(WrongFields(Wanted("")), ElementsAre("file_name"));
  EXPECT_THAT(WrongFields(Wanted("a.xyz")), ElementsAre("content_type"));
  EXPECT_THAT(WrongFields(Wanted("a.mp4", "video\r\nX: y")), ElementsAre("content_type"));
  for (const char* name : {"../a.mp4", "a\\b.mp4", "a\nb.mp4", ".."}) {
    EXPECT_THAT(WrongFields(Wanted(name, "video/mp4")), ElementsAre("file_name")) << name;
  }
  EXPECT_THAT(WrongFields(Wanted(std::string(252, 'a') + ".mp4")), ElementsAre("file_name"));
}

class UploadCallTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::CreateUploadResponse> Ask(const v1::CreateUploadRequest& request) {
    absl::StatusOr<v1::CreateUploadResponse> got = absl::InternalError("never called");
    client_.CreateUpload(request, [&](auto answer) { got = std::move(answer); });
    return got;
  }
  absl::StatusOr<v1::CreateUploadResponse> Read(const std::string& signed_url,
                                                const std::string& url, bool loopback = false) {
    return ReadUploadReply(Reply(200, R"({"success":true,"data":{"signedUrl":")" + signed_url +
                                          R"(","url":")" + url + R"("}})"),
                           "video/mp4", clock_.WallNow(), loopback);
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  PictoryClient client_{ClientOptions{Secret("pictai_k"), "agent/1"}, transport_, clock_};
};

TEST_F(UploadCallTest, AsksForAPlace) {
  transport_.AnswerAllWith(Reply(200, kPlace));
  const auto got = Ask(Wanted("talk.mp4"));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->signed_url(), "https://b.s3.amazonaws.com/k?X-Amz-Signature=abc");
  EXPECT_EQ(got->file_url(), "https://d1.cloudfront.net/k");
  EXPECT_EQ(got->content_type(), "video/mp4");
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch();
  EXPECT_EQ(got->expire_time().seconds(), now.count() + 24 * 3600);
  const http::Request& sent = transport_.requests()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.path, "/v1/media/generateurl");
  EXPECT_EQ(sent.lane, http::Lane::kRead);
  EXPECT_EQ(*sent.body, R"({"fileName":"talk.mp4","contentType":"video/mp4"})");
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "pictai_k");
}

TEST_F(UploadCallTest, TheOtherSpellingIsTriedOnceAndKept) {
  transport_.SetScript([](const http::Request& request) -> std::optional<http::Response> {
    if (request.path == "/v1/media/generateUrl") return Reply(200, kPlace);
    return Reply(404, R"({"message":"Not Found"})");
  });
  EXPECT_TRUE(Ask(Wanted("a.mp4")).ok());
  EXPECT_TRUE(Ask(Wanted("b.mp4")).ok());
  ASSERT_EQ(transport_.requests().size(), 3U);
  EXPECT_EQ(transport_.requests()[1].path, "/v1/media/generateUrl");
  EXPECT_EQ(transport_.requests()[2].path, "/v1/media/generateUrl");
}

TEST_F(UploadCallTest, NeitherSpellingIsThere) {
  transport_.AnswerAllWith(Reply(404, ""));
  const auto got = Ask(Wanted("a.mp4"));
  EXPECT_EQ(got.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(got.status().message()), Not(HasSubstr("job")));
  EXPECT_EQ(transport_.requests().size(), 2U);
}

TEST_F(UploadCallTest, ErrorsAreThoseOfOtherReads) {
  const std::pair<http::Response, absl::StatusCode> kCases[] = {
      {Reply(401, R"({"message":"Unauthorized"})"), absl::StatusCode::kFailedPrecondition},
      {Reply(429, ""), absl::StatusCode::kResourceExhausted},
      {Reply(500, ""), absl::StatusCode::kUnavailable},
      {Reply(400, R"({"message":"no"})"), absl::StatusCode::kFailedPrecondition},
      {Reply(200, R"({"success":false,"message":"no"})"), absl::StatusCode::kFailedPrecondition},
      {Reply(200, "<html>"), absl::StatusCode::kUnavailable},
      {Reply(200, R"({"success":true,"data":{}})"), absl::StatusCode::kUnavailable},
      {Reply(200, R"({"success":true,"data":null})"), absl::StatusCode::kUnavailable},
      {test::Cut(), absl::StatusCode::kUnavailable},
      {test::NotSent(), absl::StatusCode::kUnavailable}};
  for (const auto& [response, code] : kCases) {
    transport_.AnswerAllWith(response);
    EXPECT_EQ(Ask(Wanted("a.mp4")).status().code(), code) << response.status << response.body;
  }
}

TEST_F(UploadCallTest, OnlyPlacesAClientMaySendTo) {
  const std::string file = "https://d1.cloudfront.net/k";
  EXPECT_TRUE(Read("https://b.s3.amazonaws.com/k?x=1", file).ok());
  EXPECT_TRUE(Read("https://b.s3.amazonaws.com/k?x=" + std::string(4000, 'a'), file).ok());
  for (const std::string& bad :
       {std::string("http://b.s3.amazonaws.com/k?s=secret"),
        std::string("https://169.254.169.254/k?s=secret"),
        std::string("https://u:p@b.s3.amazonaws.com/k?s=secret"), std::string("k?s=secret"),
        std::string("http://127.0.0.1:1/k?s=secret"),
        "https://b.s3.amazonaws.com/k?s=secret" + std::string(9000, 'a')}) {
    const auto got = Read(bad, file);
    EXPECT_TRUE(absl::IsUnavailable(got.status())) << bad;
    EXPECT_THAT(std::string(got.status().message()), Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(Read("https://b.s3.amazonaws.com/k", "http://d1.cloudfront.net/k").ok());
  EXPECT_TRUE(Read("http://127.0.0.1:1/k", "http://localhost:1/k", true).ok());
}

TEST_F(UploadCallTest, AUrlThatSaysItEndsSoonerIsBelieved) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch();
  const auto life = [&](const std::string& query) {
    const auto place = Read("https://b.s3.amazonaws.com/k?" + query, "https://d.net/k");
    return place->expire_time().seconds() - now.count();
  };
  EXPECT_EQ(life("X-Amz-Expires=900&a=b"), 900);
  EXPECT_EQ(life("X-Amz-Expires=999999999"), 24 * 3600);
  EXPECT_EQ(life("X-Amz-Expires=soon"), 24 * 3600);
}

}  // namespace
}  // namespace gateway::pictory
