#include "pictory/own_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "pictory/client.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::Cut;
using test::Reply;
using testing::HasSubstr;
using testing::Not;

const char kKey[] = "pictai_Zk4/+q\"9=vT0wLm2&Xr7";

std::string Without(const OwnSecrets& secrets, std::string text) {
  secrets.TakeOutOf(text);
  return text;
}

TEST(OwnSecrets, FindsASecretInEveryForm) {
  OwnSecrets secrets;
  secrets.Add(Secret(kKey));
  const std::string key = kKey;
  for (const std::string& form :
       {key, PercentEncode(key), absl::AsciiStrToLower(PercentEncode(key)),
        absl::AsciiStrToUpper(key), std::string(R"(pictai_Zk4/+q\"9=vT0wLm2&Xr7)"),
        std::string(R"(pictai_Zk4\/+q\"9=vT0wLm2&Xr7)"), absl::BytesToHexString(key),
        key.substr(0, 10), key.substr(key.size() - 10), key.substr(7, 11)}) {
    EXPECT_EQ(Without(secrets, absl::StrCat("a \"", form, "\" b")), "a \"[secret removed]\" b")
        << form;
  }
}

TEST(OwnSecrets, FindsItInBase64WhateverStandsAround) {
  OwnSecrets secrets;
  secrets.Add(Secret(kKey));
  for (const std::string before : {"", "u", "us", "user:"}) {
    for (const std::string after : {"", ":", "::", ":::"}) {
      const std::string whole = absl::StrCat(before, kKey, after);
      const std::string basic = absl::Base64Escape(whole);
      const std::string web = absl::WebSafeBase64Escape(whole);
      for (const std::string& form : {basic, web}) {
        const std::string left = Without(secrets, "Basic " + form + " refused");
        EXPECT_THAT(left, HasSubstr("[secret removed]"));
        // Beside the removed stand at most the characters that the rest decides.
        EXPECT_LE(left.size(), std::string("Basic [secret removed] refused").size() + 16) << left;
      }
    }
  }
}

TEST(OwnSecrets, LeavesOtherTextAlone) {
  OwnSecrets secrets;
  EXPECT_EQ(Without(secrets, "anything"), "anything");
  secrets.Add(Secret("sandbox"));  // a word, and too short to be a secret
  EXPECT_EQ(Without(secrets, "made by the sandbox"), "made by the sandbox");
  secrets.Add(Secret(kKey));
  for (const std::string text :
       {"", "a", "pictai_", "the key pictai_Zk", "pictai_other-key-of-somebody",
        "no template \"a\xC3\xA4\" for 1234567890", "\xFF\xFE\x00\x01"}) {
    EXPECT_EQ(Without(secrets, text), text);
  }
}

TEST(OwnSecrets, FindsSeveralAndThoseBefore) {
  OwnSecrets secrets;
  secrets.Add(Secret("first-secret-0001"));
  secrets.Add(Secret("second-secret-002"));
  EXPECT_EQ(Without(secrets, "first-secret-0001,second-secret-002first-secret-0001"),
            "[secret removed],[secret removed]");
  for (std::size_t i = 0; i < limits::kSecretsRemembered; ++i) {
    secrets.Add(Secret(absl::StrCat("access-token-number", 1000 + i)));
  }
  EXPECT_EQ(Without(secrets, "second-secret-002"), "second-secret-002");  // long ago
}

// A short secret is known as a whole.
TEST(OwnSecrets, FindsAShortSecretAsAWhole) {
  OwnSecrets secrets;
  secrets.Add(Secret("pictai_k"));
  EXPECT_EQ(Without(secrets, "key=pictai_k."), "key=[secret removed].");
  EXPECT_EQ(Without(secrets, "pictai_ and nothing more"), "pictai_ and nothing more");
}

// Every exit of the client, with Pictory quoting the key in all that it says.
class ExitsTest : public testing::Test {
 protected:
  static constexpr char kSecret[] = "pictai_0123456789abcdefghij";

  static std::string Error(const std::string& text) {
    return absl::StrCat(R"({"success":false,"data":{"error_code":")", text,
                        R"(","error_message":"no key )", text, R"("},"fields":[{"name":")", text,
                        R"(","errors":")", text, R"("}]})");
  }
  // Every answer that quotes the key.
  static std::vector<http::Response> Echoes() {
    const std::string key = kSecret;
    std::vector<http::Response> echoes;
    for (const int status : {200, 400, 401, 403, 404, 409, 422, 429, 500, 503}) {
      for (const std::string& body :
           {Error(key), Error(key.substr(0, 15)), "<title>bad " + key + "</title>", "bad " + key,
            R"({"success":true,"data":{"status":")" + key + R"("}})",
            R"({"success":true,"data":{"jobId":")" + key + R"("}})",
            R"({"success":true,"data":{"status":"failed","error_message":")" +
                std::string(limits::kUpstreamTextMaxBytes - 20, 'x') + " " + key + R"("}})",
            R"({"data":{"renderProgressMessage":")" + key + R"(","status":"in-progress"}})",
            R"({"error":")" + key + R"("})", R"({"jobId":")" + key, "[\"" + key}) {
        echoes.push_back(Reply(status, body, {{"server", key}, {"retry-after", key}}));
      }
    }
    echoes.push_back(Cut("reset after " + key, 200, R"({"jobId":")" + key + R"(","a":)"));
    echoes.push_back(test::NotSent("bad header " + key));
    return echoes;
  }
  static std::string All(const absl::Status& status) {
    std::string all = status.ToString(absl::StatusToStringMode::kWithEverything);
    for (const errors::Violation& violation : errors::Violations(status)) {
      absl::StrAppend(&all, violation.field, violation.description);
    }
    status.ForEachPayload([&](absl::string_view, const absl::Cord& payload) {
      absl::StrAppend(&all, std::string(payload));
    });
    return all;
  }
  void ExpectNone(const std::string& text) {
    ++looked_at_;
    EXPECT_THAT(text, Not(HasSubstr("0123456789")));
    if (text.find(OwnSecrets::kRemoved) != std::string::npos) ++removed_;
  }

  int looked_at_ = 0, removed_ = 0;
  test::FakeClock clock_;
  test::FakeTransport transport_;
  PictoryClient client_{{.api_key = Secret(kSecret), .user_agent = "t"}, transport_, clock_};
};

TEST_F(ExitsTest, NoAnswerToASubmitHoldsTheKey) {
  for (const http::Response& echo : Echoes()) {
    transport_.AnswerAllWith(echo);
    client_.Authorize([&](const absl::StatusOr<Authorization>& key) {
      client_.Submit({v1::JOB_KIND_PREVIEW, "POST", "/v2/video/storyboard", nullptr}, *key,
                     MonoTime::max(), [&](const SubmitReply& reply) {
                       ExpectNone(absl::StrCat(reply.detail, reply.pictory_job_id,
                                               reply.hinted_job_id, All(reply.error)));
                     });
    });
  }
  EXPECT_GT(removed_, 15);
}

TEST_F(ExitsTest, NoAnswerToAPollHoldsTheKey) {
  for (const http::Response& echo : Echoes()) {
    transport_.AnswerAllWith(echo);
    client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](const JobReply& reply) {
      ExpectNone(absl::StrCat(reply.message, reply.error_code, reply.error_message, reply.detail));
    });
  }
  EXPECT_GT(removed_, 15);
}

TEST_F(ExitsTest, NoAnswerToAFreeCallHoldsTheKey) {
  v1::CreateUploadRequest upload;
  upload.set_file_name("a.mp4");
  for (const http::Response& echo : Echoes()) {
    transport_.AnswerAllWith(echo);
    const auto expect_none = [&](const absl::Status& status) { ExpectNone(All(status)); };
    client_.CleanJob("a", expect_none);
    client_.Probe(expect_none);
    client_.ListJobs("", [&](const absl::StatusOr<JobList>& list) { expect_none(list.status()); });
    client_.CreateUpload(upload, [&](const auto& answer) { expect_none(answer.status()); });
  }
  EXPECT_GT(removed_, 15);
}

// What was paid for is given as it is; only words about it are cleaned.
TEST_F(ExitsTest, AResultKeepsItsBytes) {
  const std::string data =
      absl::StrCat(R"({"status":"completed","videoURL":"https://v.example/a?k=)", kSecret,
                   R"(","renderProgressMessage":")", kSecret, R"("})");
  transport_.AnswerAllWith(Reply(200, R"({"success":true,"data":)" + data + "}"));
  JobReply got;
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { got = std::move(reply); });
  ASSERT_EQ(got.kind, JobReply::Kind::kSucceeded);
  EXPECT_EQ(std::string(std::string_view(got.result->parts[0].bytes)), data);
  EXPECT_EQ(got.message, OwnSecrets::kRemoved);
}

// What is kept of an answer without a result is an error text like others.
TEST_F(ExitsTest, WhatIsKeptOfAFailureQuotesNoKey) {
  for (const char* status : {"failed", "completed"}) {
    transport_.AnswerAllWith(Reply(
        200, absl::StrCat(R"({"data":{"status":")", status,
                          R"(","error_message":{"scene":1,"message":")", kSecret, R"("}}})")));
    JobReply got;
    client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { got = std::move(reply); });
    ASSERT_NE(got.result, nullptr) << status;
    const std::string kept(std::string_view(got.result->parts.at(0).bytes));
    ExpectNone(kept);
    EXPECT_THAT(kept, HasSubstr(R"("scene":1)"));
  }
}

TEST_F(ExitsTest, AReplacedKeyAndItsSuccessorAreBothTakenOut) {
  const std::string next = "pictai_the-next-key-0000";
  client_.ReplaceSecret(Secret(next));
  transport_.AnswerAllWith(Reply(400, absl::StrCat("{\"message\":\"", kSecret, " ", next, "\"}")));
  absl::Status got;
  client_.Probe([&](const absl::Status& status) { got = status; });
  ExpectNone(All(got));
  EXPECT_THAT(All(got), Not(HasSubstr("the-next-key")));
  EXPECT_EQ(removed_, 1);
}

TEST(OwnSecretsOfAnOAuthAccount, AreTheClientSecretAndEachAccessToken) {
  test::FakeClock clock;
  test::FakeTransport transport;
  std::vector<std::string> told;
  ClientOptions options{.user_agent = "t"};
  options.oauth = OAuthOptions{.client_id = "id", .client_secret = Secret("very-secret-words-1")};
  options.token_fetched = [&](const absl::Status& status, Duration) {
    told.push_back(status.ToString());
  };
  PictoryClient client(std::move(options), transport, clock);
  transport.SetScript([](const http::Request& request) {
    if (request.path == "/v1/oauth2/token") {
      return Reply(200, R"({"access_token":"token-of-an-hour-77","expires_in":3600})");
    }
    return Reply(400, R"({"message":"token-of-an-hour-77 for very-secret-words-1"})");
  });
  absl::Status got;
  client.Probe([&](const absl::Status& status) { got = status; });
  EXPECT_THAT(std::string(got.message()), HasSubstr("[secret removed] for [secret removed]"));

  // The endpoint of the tokens itself.
  test::FakeTransport refusing;
  refusing.AnswerAllWith(Reply(401, R"({"message":"very-secret-words-1"})"));
  ClientOptions again{.user_agent = "t"};
  again.oauth = OAuthOptions{.client_id = "id", .client_secret = Secret("very-secret-words-1")};
  again.token_fetched = [&](const absl::Status& status, Duration) {
    told.push_back(status.ToString());
  };
  PictoryClient other(std::move(again), refusing, clock);
  other.Probe([&](const absl::Status& status) { told.push_back(status.ToString()); });
  ASSERT_EQ(told.size(), 3U);
  for (const std::string& text : told) EXPECT_THAT(text, Not(HasSubstr("very-secret")));
}

}  // namespace
}  // namespace gateway::pictory
