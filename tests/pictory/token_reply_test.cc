#include "pictory/token_reply.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

using namespace std::chrono_literals;
using test::Reply;

TokenReply ReadToken(const http::Response& response) {
  return ReadTokenReply(response, WallTime{});
}

TEST(TokenReply, TheDocumentedAnswer) {
  const TokenReply reply = ReadToken(
      Reply(200, R"({"access_token":"eyJ.a-b_c","expires_in":3600,"token_type":"Bearer"})"));
  EXPECT_EQ(reply.kind, TokenReply::Kind::kToken);
  EXPECT_EQ(reply.token.Reveal(), "eyJ.a-b_c");
  EXPECT_EQ(reply.life, 3600s);
}

TEST(TokenReply, ALifeThatMakesNoSenseIsAssumed) {
  const auto life = [](const std::string& expires_in) {
    const TokenReply reply = ReadToken(Reply(200, R"({"access_token":"t")" + expires_in + "}"));
    EXPECT_EQ(reply.kind, TokenReply::Kind::kToken) << expires_in;
    return reply.life;
  };
  EXPECT_EQ(life(R"(,"expires_in":"3600")"), 3600s);
  EXPECT_EQ(life(R"(,"expires_in":90.5)"), 90500ms);
  for (const char* nonsense :
       {"", R"(,"expires_in":null)", R"(,"expires_in":-5)", R"(,"expires_in":0)",
        R"(,"expires_in":"soon")", R"(,"expires_in":"")", R"(,"expires_in":[3600])",
        R"(,"expires_in":"nan")", R"(,"expires_in":"inf")"}) {
    EXPECT_EQ(life(nonsense), limits::kTokenLifeAssumed) << nonsense;
  }
  EXPECT_EQ(life(R"(,"expires_in":0.001)"), limits::kTokenLifeMin);
  EXPECT_EQ(life(R"(,"expires_in":99999999999)"), limits::kTokenLifeMax);
  EXPECT_EQ(life(R"(,"expires_in":1e300)"), limits::kTokenLifeMax);
}

TEST(TokenReply, EverythingElseIsATroubleWithAName) {
  struct Case {
    http::Response response;
    TokenReply::Kind kind;
  };
  const std::string huge(limits::kTokenMaxBytes + 1, 't');
  for (const Case& c : {
           Case{Reply(400, R"({"message":"invalid client"})"), TokenReply::Kind::kRefused},
           Case{Reply(401, R"({"message":"Unauthorized"})"), TokenReply::Kind::kRefused},
           Case{Reply(401, "<html>"), TokenReply::Kind::kRefused},
           Case{Reply(403, R"({"message":"Forbidden"})"), TokenReply::Kind::kRefused},
           Case{Reply(403, "<html>error code: 1010"), TokenReply::Kind::kUnavailable},
           Case{Reply(400, "<html>"), TokenReply::Kind::kUnavailable},
           Case{Reply(404, "{}"), TokenReply::Kind::kUnavailable},
           Case{Reply(302, ""), TokenReply::Kind::kUnavailable},
           Case{Reply(429, ""), TokenReply::Kind::kRateLimited},
           Case{Reply(500, R"({"message":"m"})"), TokenReply::Kind::kUnavailable},
           Case{Reply(503, "<html>"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, ""), TokenReply::Kind::kUnavailable},
           Case{Reply(200, "<html>login</html>"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":"t")"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"(["access_token"])"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, "{}"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":""})"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":null})"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":7})"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":"two words"})"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":"a\r\nX-Other: b"})"),
                TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"access_token":")" + huge + "\"}"), TokenReply::Kind::kUnavailable},
           Case{Reply(200, R"({"success":false,"error":{"error_message":"no"}})"),
                TokenReply::Kind::kRefused},
           Case{test::Cut("timeout", 200, R"({"access_token":"t"})"),
                TokenReply::Kind::kUnavailable},
           Case{test::NotSent(), TokenReply::Kind::kUnavailable},
       }) {
    const TokenReply reply = ReadToken(c.response);
    EXPECT_EQ(reply.kind, c.kind) << c.response.status << c.response.body.substr(0, 80);
    EXPECT_TRUE(reply.token.empty());
    EXPECT_NE(reply.detail, "");
  }
}

TEST(TokenReply, WhatCallersHear) {
  const auto error = [](const http::Response& response) {
    return TokenError(ReadToken(response), 3s);
  };
  EXPECT_EQ(errors::Reason(error(Reply(401, "{}"))), "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(errors::Reason(error(Reply(429, ""))), "UPSTREAM_RATE_LIMITED");
  const absl::Status down = error(test::NotSent("connection refused"));
  EXPECT_EQ(down.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::RetryDelay(down), 3s);
  EXPECT_NE(down.message().find("no access token: not sent: connection refused"),
            absl::string_view::npos);
}

TEST(TokenReply, AnAskedForPauseIsKept) {
  EXPECT_EQ(ReadToken(Reply(429, "", {{"retry-after", "17"}})).retry_after, 17s);
  EXPECT_EQ(ReadToken(Reply(503, "", {{"retry-after", "9"}})).retry_after, 9s);
}

}  // namespace
}  // namespace gateway::pictory
