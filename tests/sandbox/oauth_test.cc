// Access tokens: POST /v1/oauth2/token and the calls made with what it gives.

#include <gmock/gmock.h>

#include "sandbox/auth.h"
#include "sandbox/rig.h"

namespace gateway::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class OauthTest : public Rig {
 protected:
  void SetUp() override { Start(); }
  JsonReply Ask(const std::string& id, const std::string& secret) {
    return Api("POST", "/v1/oauth2/token",
               R"({"client_id":")" + id + R"(","client_secret":")" + secret + "\"}", "");
  }
  std::string Token() { return Ask("me", "secret").TextAt("access_token"); }
  int With(const std::string& authorization, const std::string& more = "") {
    return Api("GET", "/v1/quota", "", "Authorization: " + authorization + "\r\n" + more).status;
  }
  int Callers(const char* credential) {
    const JsonReply stats = Control("GET", "/stats");
    const Value& callers = stats.At("callers");
    return callers.HasMember(credential) ? callers[credential].GetInt() : 0;
  }
};

TEST_F(OauthTest, ATokenComesBareAndLetsIn) {
  const JsonReply reply = Ask("me", "secret");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.TextAt("access_token"), StartsWith("eyJ"));
  EXPECT_EQ(reply.NumberAt("expires_in"), 3600);
  EXPECT_EQ(reply.TextAt("token_type"), "Bearer");
  EXPECT_FALSE(reply.Has("success"));
  EXPECT_EQ(With(reply.TextAt("access_token")), 200);
  EXPECT_EQ(With("pictai_sandbox"), 200);  // keys go on beside tokens
}

TEST_F(OauthTest, TheUserIdIsTakenInBothSpellingsAndNotNeeded) {
  const std::string token = Token();
  EXPECT_EQ(With(token), 200);
  EXPECT_EQ(With(token, "X-Pictory-User-Id: someone\r\n"), 200);
  EXPECT_EQ(With(token, "X-Pictory-Customer-Id: someone\r\n"), 200);
  EXPECT_EQ(Callers("token"), 1);
  EXPECT_EQ(Callers("token and user id"), 2);
  EXPECT_EQ(Callers("key"), 0);
}

TEST_F(OauthTest, ATokenMayBeIntroducedByItsSchemeAndAKeyMayNot) {
  EXPECT_EQ(With("Bearer " + Token()), 200);
  EXPECT_EQ(With("Bearer pictai_key"), 401);
}

TEST_F(OauthTest, AFormIsTakenToo) {
  const JsonReply reply = Api("POST", "/v1/oauth2/token",
                              "grant_type=client_credentials&client_id=me&client_secret=a%2Bb",
                              "Content-Type: application/x-www-form-urlencoded\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(With(reply.TextAt("access_token")), 200);
  EXPECT_EQ(Api("POST", "/v1/oauth2/token", "client_id=me&client_secret=").status, 400);
  EXPECT_EQ(Api("POST", "/v1/oauth2/token", "client_id=bad&client_secret=s").status, 401);
}

TEST_F(OauthTest, AnythingButTheTokenIsRefused) {
  const std::string token = Token();
  EXPECT_EQ(With(token + "x"), 401);
  EXPECT_EQ(With("Bearer " + token + "x"), 401);
  EXPECT_EQ(With("eyJ"), 401);
  EXPECT_EQ(With("null"), 401);
  EXPECT_EQ(Api("GET", "/v1/quota", "", "X-Pictory-User-Id: someone\r\n").status, 401);
}

TEST_F(OauthTest, TokensEndOnTheSecondWhateverTheSpeed) {
  options_.token_lifetime = std::chrono::seconds(2);
  options_.speed = 1000;
  Restart();
  const JsonReply reply = Ask("me", "secret");
  EXPECT_EQ(reply.NumberAt("expires_in"), 2);
  const std::string old = reply.TextAt("access_token");
  clock_.Advance(1.999);
  EXPECT_EQ(With(old), 200);
  const std::string young = Token();
  clock_.Advance(0.001);
  const JsonReply refused = Api("GET", "/v1/quota", "", "Authorization: " + old + "\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, R"({"message":"Unauthorized"})");
  EXPECT_NE(young, old);
  EXPECT_EQ(With(young), 200);
}

TEST_F(OauthTest, TokensEndWithTheProcessAndNeverComeAgain) {
  const std::string before = Token();
  Restart();
  const std::string after = Token();
  EXPECT_NE(before, after);
  EXPECT_EQ(With(before), 401);
  EXPECT_EQ(With(after), 200);
}

TEST_F(OauthTest, TheConfiguredPairOrAnythingNotBad) {
  EXPECT_EQ(Ask("anybody", "anything").status, 200);
  EXPECT_EQ(Ask("bad-id", "secret").status, 401);
  const JsonReply refused = Ask("me", "bad");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, R"({"message":"Unauthorized"})");
  options_.client_id = "the-id";
  options_.client_secret = "the-secret";
  Restart();
  EXPECT_EQ(Ask("the-id", "the-secret").status, 200);
  EXPECT_EQ(Ask("the-id", "anything").status, 401);
  EXPECT_EQ(Ask("anybody", "the-secret").status, 401);
}

TEST_F(OauthTest, WhatIsNoRequestIsToldSo) {
  const JsonReply empty = Api("POST", "/v1/oauth2/token", "{}", "");
  EXPECT_EQ(empty.status, 400);
  EXPECT_EQ(empty.TextAt("code"), "INVALID_REQUEST_BODY");
  EXPECT_EQ(empty.TextAt("fields.0.name"), "client_id");
  EXPECT_EQ(empty.TextAt("fields.1.name"), "client_secret");
  EXPECT_EQ(Api("POST", "/v1/oauth2/token", R"({"client_id":1,"client_secret":"b"})", "").status,
            400);
  EXPECT_EQ(Api("POST", "/v1/oauth2/token", "[]", "").status, 400);
  EXPECT_EQ(Api("GET", "/v1/oauth2/token", "", kKey).status, 405);
}

TEST_F(OauthTest, NothingIsJournalledOfIt) {
  Ask("me", "a-secret-word");
  const JsonReply journal = Control("GET", "/journal");
  EXPECT_EQ(journal.At("entries").Size(), 0u);
}

TEST(AuthenticatorTest, KeepsABoundedNumberOfTokens) {
  SteppedClock clock;
  Authenticator auth({}, clock);
  const auto token = [&] {
    std::string error;
    const auto reply =
        ParseJson(auth.IssueToken(R"({"client_id":"a","client_secret":"b"})").body, &error);
    return std::string(FindText(*reply, "access_token"));
  };
  const auto knows = [&](const std::string& credential) {
    http::ServerRequest request;
    request.headers.push_back({"authorization", credential});
    return auth.Identify(request).has_value();
  };
  const std::string first = token(), second = token();
  for (std::size_t i = 2; i < Authenticator::kTokensMax; ++i) token();
  EXPECT_TRUE(knows(first));
  token();
  EXPECT_FALSE(knows(first));
  EXPECT_TRUE(knows(second));
}

TEST(AuthenticatorTest, RefusesToKeepTokensForLessThanASecond) {
  SandboxOptions options;
  options.token_lifetime = std::chrono::seconds(0);
  EXPECT_FALSE(Sandbox::Start(options).ok());
}

}  // namespace
}  // namespace gateway::sandbox
