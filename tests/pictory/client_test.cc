#include "pictory/client.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::HeaderOf;
using test::NotSent;
using test::Reply;

Authorization KeyOf(PictoryClient& client) {
  Authorization key;
  client.Authorize([&](absl::StatusOr<Authorization> given) { key = *std::move(given); });
  return key;
}

class ClientTest : public ::testing::Test {
 protected:
  test::FakeClock clock_;
  test::FakeTransport transport_;
  PictoryClient client_{ClientOptions{Secret("pictai_k"), "agent/1"}, transport_, clock_};
};

TEST_F(ClientTest, SubmitIsPaidAndCarriesTheRawKey) {
  transport_.AnswerAllWith(Reply(200, R"({"success":true,"data":{"jobId":"a"}})"));
  Submission submission{v1::JOB_KIND_PREVIEW, "POST", "/v2/video/storyboard",
                        std::make_shared<const std::string>("{}")};
  SubmitReply got;
  const MonoTime start_by = clock_.Now() + std::chrono::seconds(1);
  client_.Submit(submission, KeyOf(client_), start_by,
                 [&](SubmitReply reply) { got = std::move(reply); });
  EXPECT_EQ(got.outcome, SubmitReply::Outcome::kAccepted);
  ASSERT_EQ(transport_.requests().size(), 1U);
  const http::Request& sent = transport_.requests()[0];
  EXPECT_EQ(sent.lane, http::Lane::kPaid);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.path, "/v2/video/storyboard");
  EXPECT_EQ(*sent.body, "{}");
  EXPECT_EQ(sent.timeout, limits::kSubmitTimeout);
  EXPECT_EQ(sent.start_by, start_by);
  EXPECT_EQ(sent.max_body_bytes, limits::kSubmitReplyMaxBytes);
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "pictai_k");
  EXPECT_EQ(HeaderOf(sent, "User-Agent"), "agent/1");
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(sent, "Accept"), "application/json");
}

TEST_F(ClientTest, SubmitIsSentOnceWhateverComesBack) {
  for (const http::Response& response :
       {Reply(500, ""), Reply(401, ""), Reply(429, ""), test::Cut(), NotSent()}) {
    test::FakeTransport transport;
    transport.AnswerAllWith(response);
    PictoryClient client(ClientOptions{Secret("k"), ""}, transport, clock_);
    int answers = 0;
    client.Submit({}, KeyOf(client), MonoTime::max(), [&](const SubmitReply& reply) {
      ++answers;
      EXPECT_FALSE(reply.token_refused);  // a key stays what it is
    });
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(transport.requests().size(), 1U);
  }
}

// What was sent with the key before may be sent again with the new one.
TEST_F(ClientTest, AReplacedKeyIsUsedAtOnceAndBy401sThatCome) {
  const Authorization old = KeyOf(client_);
  JobReply poll;
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { poll = std::move(reply); });
  client_.ReplaceSecret(Secret("pictai_new"));
  EXPECT_EQ(KeyOf(client_).value.Reveal(), "pictai_new");
  int refused = 0;
  client_.SetCredentialsRefused([&] { ++refused; });
  transport_.Answer(Reply(401, ""));
  ASSERT_EQ(transport_.held(), 1U);
  EXPECT_EQ(HeaderOf(transport_.oldest_held(), "Authorization"), "pictai_new");
  EXPECT_EQ(refused, 0);
  transport_.Answer(Reply(401, ""));
  EXPECT_EQ(poll.kind, JobReply::Kind::kCredentials);
  EXPECT_EQ(refused, 1);

  SubmitReply submit;
  client_.Submit({}, old, MonoTime::max(), [&](SubmitReply reply) { submit = std::move(reply); });
  transport_.Answer(Reply(401, ""));
  EXPECT_TRUE(submit.token_refused);
  EXPECT_EQ(refused, 1);
}

TEST_F(ClientTest, GetJobIsAPollOfV1WithTheIdEncoded) {
  JobReply got;
  client_.GetJob("53g4-x/...?#%", v1::JOB_KIND_RENDER, 0,
                 [&](JobReply reply) { got = std::move(reply); });
  ASSERT_EQ(transport_.held(), 1U);
  const http::Request& sent = transport_.oldest_held();
  EXPECT_EQ(sent.lane, http::Lane::kRead);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.path, "/v1/jobs/53g4-x%2F...%3F%23%25");
  EXPECT_EQ(sent.body, nullptr);
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "");
  EXPECT_EQ(sent.max_body_bytes, limits::kJobReplyMaxBytes);
  transport_.Answer(Reply(200, R"({"success":true,"data":{"status":"in-progress"}})"));
  EXPECT_EQ(got.kind, JobReply::Kind::kRunning);
}

TEST_F(ClientTest, ASmallPollIsToldOfALargeReply) {
  JobReply got;
  const auto keep = [&](JobReply reply) { got = std::move(reply); };
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, keep, ReplySize::kSmall);
  const http::Request sent = transport_.oldest_held();
  EXPECT_EQ(sent.max_body_bytes, limits::kSmallReplyMaxBytes);
  EXPECT_EQ(sent.timeout, limits::kPollTimeout);
  http::Response cut = test::Cut("too long", 200);
  cut.longer_than_bytes = sent.max_body_bytes;
  transport_.Answer(cut);
  EXPECT_EQ(got.kind, JobReply::Kind::kLarge);
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, keep, ReplySize::kAny);
  EXPECT_EQ(transport_.oldest_held().timeout, limits::kLargePollTimeout);
  cut.longer_than_bytes = transport_.oldest_held().max_body_bytes;
  transport_.Answer(cut);
  EXPECT_EQ(got.kind, JobReply::Kind::kTooLarge);
}

TEST_F(ClientTest, LargeRepliesAreReadOnTheReadersThread) {
  WorkThread reader("test");
  ClientOptions options{Secret("k"), "t"};
  options.reader = &reader;
  PictoryClient client(std::move(options), transport_, clock_);
  const std::string running = R"({"success":true,"data":{"status":"in-progress"}})";
  for (const bool large : {false, true}) {
    std::thread::id where;
    std::promise<void> done;
    client.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](const JobReply& reply) {
      EXPECT_EQ(reply.kind, JobReply::Kind::kRunning);
      where = std::this_thread::get_id();
      done.set_value();
    });
    const std::string spaces(large ? limits::kReadAsideFromBytes : 0, ' ');
    transport_.Answer(Reply(200, running + spaces));
    done.get_future().get();
    EXPECT_EQ(where != std::this_thread::get_id(), large);
  }
}

TEST_F(ClientTest, GetJobWithTheLastDigestIsUnchanged) {
  transport_.AnswerAllWith(Reply(200, R"({"success":true,"data":{"status":"in-progress"}})"));
  JobReply first, second;
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { first = std::move(reply); });
  client_.GetJob("a", v1::JOB_KIND_RENDER, first.digest,
                 [&](JobReply reply) { second = std::move(reply); });
  EXPECT_EQ(second.kind, JobReply::Kind::kUnchanged);
  EXPECT_EQ(second.digest, first.digest);
}

TEST_F(ClientTest, WithoutAUserAgentOneIsMade) {
  PictoryClient client(ClientOptions{Secret("k"), ""}, transport_, clock_);
  client.Probe([](const absl::Status&) {});
  EXPECT_NE(HeaderOf(transport_.oldest_held(), "User-Agent"), "");
  EXPECT_EQ(transport_.oldest_held().path, "/v1/quota");
}

TEST_F(ClientTest, WithoutAKeyNothingIsSent) {
  PictoryClient client(ClientOptions{Secret(), ""}, transport_, clock_);
  absl::Status submit;
  client.Authorize([&](const absl::StatusOr<Authorization>& none) { submit = none.status(); });
  EXPECT_EQ(errors::Reason(submit), "UPSTREAM_CREDENTIALS");
  JobReply poll;
  client.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { poll = std::move(reply); });
  EXPECT_EQ(poll.kind, JobReply::Kind::kCredentials);
  absl::Status list;
  client.ListJobs("", [&](const absl::StatusOr<JobList>& none) { list = none.status(); });
  EXPECT_EQ(errors::Reason(list), "UPSTREAM_CREDENTIALS");
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(ClientTest, CleanSucceedsAgainAndForJobsThatAreGone) {
  struct Case {
    http::Response response;
    absl::StatusCode code;
  };
  for (
      const Case& c : {
          Case{Reply(200, R"({"success":true})"), absl::StatusCode::kOk},
          Case{Reply(204, ""), absl::StatusCode::kOk},
          Case{Reply(404, ""), absl::StatusCode::kOk},
          Case{
              Reply(
                  200,
                  R"({"success":false,"data":{"error_code":"5000","error_message":"JOB_NOT_FOUND"}})"),
              absl::StatusCode::kOk},
          Case{Reply(200, R"({"success":false,"error":{"error_message":"running"}})"),
               absl::StatusCode::kFailedPrecondition},
          Case{Reply(400, R"({"message":"m"})"), absl::StatusCode::kFailedPrecondition},
          Case{Reply(401, ""), absl::StatusCode::kFailedPrecondition},
          Case{Reply(403, "<html>cloudflare"), absl::StatusCode::kUnavailable},
          Case{Reply(429, ""), absl::StatusCode::kResourceExhausted},
          Case{Reply(500, R"({"message":"m"})"), absl::StatusCode::kUnavailable},
          Case{test::Cut(), absl::StatusCode::kUnavailable},
          Case{NotSent(), absl::StatusCode::kUnavailable},
      }) {
    test::FakeTransport transport;
    transport.AnswerAllWith(c.response);
    PictoryClient client(ClientOptions{Secret("k"), ""}, transport, clock_);
    absl::Status got = absl::InternalError("never called");
    client.CleanJob("a b", [&](absl::Status status) { got = std::move(status); });
    EXPECT_EQ(got.code(), c.code) << c.response.status << c.response.body << got;
    EXPECT_EQ(transport.requests()[0].method, "DELETE");
    EXPECT_EQ(transport.requests()[0].path, "/v1/jobs/a%20b/clean");
  }
}

TEST_F(ClientTest, ListEncodesThePageKey) {
  transport_.AnswerAllWith(Reply(200, R"({"items":[{"data":{"jobId":"a"}}],"nextPageKey":"k="})"));
  absl::StatusOr<JobList> got = absl::InternalError("never called");
  client_.ListJobs("", [&](absl::StatusOr<JobList> list) { got = std::move(list); });
  EXPECT_EQ(transport_.requests()[0].path, "/v1/jobs");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->next_page_key, "k=");
  client_.ListJobs("a+b/c==", [&](absl::StatusOr<JobList> list) { got = std::move(list); });
  EXPECT_EQ(transport_.requests()[1].path, "/v1/jobs?nextPageKey=a%2Bb%2Fc%3D%3D");
  EXPECT_EQ(transport_.requests()[1].max_body_bytes, limits::kListReplyMaxBytes);
  transport_.AnswerAllWith(Reply(500, ""));
  client_.ListJobs("", [&](absl::StatusOr<JobList> list) { got = std::move(list); });
  EXPECT_EQ(got.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ClientTest, ProbeShowsWhetherTheKeyIsTaken) {
  absl::Status got;
  transport_.AnswerAllWith(Reply(200, R"({"videoMinutes":{"used":98,"limit":14400}})"));
  client_.Probe([&](absl::Status status) { got = std::move(status); });
  EXPECT_TRUE(got.ok()) << got;
  transport_.AnswerAllWith(Reply(401, R"({"message":"Unauthorized"})"));
  client_.Probe([&](absl::Status status) { got = std::move(status); });
  EXPECT_EQ(errors::Reason(got), "UPSTREAM_CREDENTIALS");
  EXPECT_EQ(got.message().find("pictai_k"), absl::string_view::npos);
}

// A client with client credentials. Pictory takes the newest token only; `valid` names it.
class OAuthClientTest : public ::testing::Test {
 protected:
  OAuthClientTest() {
    transport_.SetScript([this](const http::Request& request) -> std::optional<http::Response> {
      if (request.path == "/v1/oauth2/token") {
        if (token_answer_.has_value()) return token_answer_;
        valid_ = "t" + std::to_string(++tokens_);
        return Reply(200, R"({"access_token":")" + valid_ + R"(","expires_in":3600})");
      }
      ++calls_;
      if (HeaderOf(request, "Authorization") != valid_) {
        return Reply(401, R"({"message":"Unauthorized"})");
      }
      return Reply(200, R"({"success":true,"data":{"status":"in-progress"}})");
    });
  }

  JobReply Poll() {
    JobReply got;
    client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { got = std::move(reply); });
    return got;
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::optional<http::Response> token_answer_;
  std::string valid_;
  int tokens_ = 0;
  int calls_ = 0;
  int extra_ = 0;
  PictoryClient client_{ClientOptions{.api_key = Secret("pictai_unused"),
                                      .user_agent = "agent/1",
                                      .oauth = OAuthOptions{"id", Secret("secret"), "u7"},
                                      .extra_request = [this] { ++extra_; }},
                        transport_, clock_};
};

TEST_F(OAuthClientTest, CallsCarryTheRawTokenAndTheUserId) {
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRunning);
  const http::Request& sent = transport_.requests()[1];
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "t1");
  EXPECT_EQ(HeaderOf(sent, "X-Pictory-User-Id"), "u7");
  Poll();
  EXPECT_EQ(tokens_, 1);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(extra_, 1);  // the fetch
}

TEST_F(OAuthClientTest, ATokenThatEndsBetweenPollsIsRenewedOnceAndThePollGoesOn) {
  Poll();
  valid_ = "another, by now";
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRunning);
  EXPECT_EQ(tokens_, 2);
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(extra_, 3);  // two fetches and the repeat
}

TEST_F(OAuthClientTest, ASecond401IsCredentialsRefused) {
  transport_.SetScript([this](const http::Request& request) {
    if (request.path != "/v1/oauth2/token") return Reply(401, R"({"message":"Unauthorized"})");
    return Reply(200, R"({"access_token":"t)" + std::to_string(++tokens_) + "\"}");
  });
  EXPECT_EQ(Poll().kind, JobReply::Kind::kCredentials);
  EXPECT_EQ(transport_.requests().size(), 4u);  // token, poll, token, poll
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Poll().kind, JobReply::Kind::kCredentials);
  EXPECT_EQ(tokens_, 2);
}

TEST_F(OAuthClientTest, ANewClientSecretBuysATokenThoughTheOldOneWasRefusedJustNow) {
  token_answer_ = Reply(401, "{}");
  int refused = 0;
  client_.SetCredentialsRefused([&] { ++refused; });
  EXPECT_EQ(Poll().kind, JobReply::Kind::kCredentials);
  EXPECT_EQ(refused, 1);
  token_answer_.reset();
  client_.ReplaceSecret(Secret("another"));
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRunning);
  const http::Request& fetch = transport_.requests()[transport_.requests().size() - 2];
  EXPECT_NE(fetch.body->find(R"("another")"), std::string::npos);
}

// The new secret may be wrong; the token tells so while it still serves.
TEST_F(OAuthClientTest, AnOldTokenServesWhileThatOfANewSecretIsFetched) {
  Poll();
  token_answer_ = Reply(401, "{}");
  client_.ReplaceSecret(Secret("wrong"));
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRunning);
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRunning);
  EXPECT_EQ(extra_, 2);  // fetches
}

TEST(OAuthClient, AFetchWithAReplacedSecretIsRepeated) {
  test::FakeClock clock;
  test::FakeTransport transport;
  PictoryClient client({.oauth = OAuthOptions{"id", Secret("old"), ""}}, transport, clock);
  std::string got;
  client.Authorize([&](const absl::StatusOr<Authorization>& token) {
    got = token.ok() ? token->value.Reveal() : "refused";
  });
  client.ReplaceSecret(Secret("new"));
  transport.Answer(Reply(401, "{}"));
  ASSERT_EQ(transport.held(), 1U);
  EXPECT_EQ(got, "");
  EXPECT_NE(transport.oldest_held().body->find(R"("new")"), std::string::npos);
  transport.Answer(Reply(200, R"({"access_token":"t","expires_in":3600})"));
  EXPECT_EQ(got, "t");
}

TEST_F(OAuthClientTest, EveryReadIsRepeatedAndStaysWhatItWas) {
  for (int i = 0; i < 3; ++i) {
    valid_ = "none";
    absl::Status status = absl::InternalError("never called");
    if (i == 0) client_.CleanJob("j", [&](absl::Status s) { status = std::move(s); });
    if (i == 1)
      client_.ListJobs("k", [&](const absl::StatusOr<JobList>& l) { status = l.status(); });
    if (i == 2) client_.Probe([&](absl::Status s) { status = std::move(s); });
    EXPECT_NE(errors::Reason(status), "UPSTREAM_CREDENTIALS") << i;
    const http::Request& last = transport_.requests().back();
    EXPECT_EQ(HeaderOf(last, "Authorization"), valid_);
    if (i > 0) {
      EXPECT_EQ(transport_.requests()[transport_.requests().size() - 3].path, last.path);
    }
    clock_.Advance(limits::kTokenRefusedRetry);
  }
}

TEST_F(OAuthClientTest, WithoutATokenAPollSaysWhyAndSendsNothing) {
  token_answer_ = Reply(401, "{}");
  EXPECT_EQ(Poll().kind, JobReply::Kind::kCredentials);
  clock_.Advance(limits::kTokenRefusedRetry);
  token_answer_ = Reply(429, "", {{"retry-after", "30"}});
  EXPECT_EQ(Poll().kind, JobReply::Kind::kRateLimited);
  EXPECT_EQ(Poll().retry_after, std::chrono::seconds(30));
  clock_.Advance(std::chrono::seconds(30));
  token_answer_ = Reply(502, "<html>");
  EXPECT_EQ(Poll().kind, JobReply::Kind::kUnavailable);
  EXPECT_GT(Poll().retry_after, Duration::zero());
  EXPECT_EQ(calls_, 0);
}

TEST_F(OAuthClientTest, APaid401IsReportedNeverRepeated) {
  const Authorization first = KeyOf(client_);
  valid_ = "another, by now";
  SubmitReply got;
  const auto submit = [&](const Authorization& with) {
    client_.Submit({v1::JOB_KIND_PREVIEW, "POST", "/v2/video/storyboard",
                    std::make_shared<const std::string>("{}")},
                   with, MonoTime::max(), [&](SubmitReply reply) { got = std::move(reply); });
  };
  submit(first);
  EXPECT_EQ(calls_, 1);
  EXPECT_TRUE(got.token_refused);
  EXPECT_EQ(got.outcome, SubmitReply::Outcome::kRefused);
  valid_ = "nothing";
  const Authorization second = KeyOf(client_);
  EXPECT_NE(second.generation, first.generation);
  valid_ = "nothing";
  submit(second);
  EXPECT_FALSE(got.token_refused);
  EXPECT_EQ(errors::Reason(got.error), "UPSTREAM_CREDENTIALS");
}

TEST_F(OAuthClientTest, ARepeatThatIsNotAllowedLeavesTheAnswerAsItIs) {
  int asked = 0, refused = 0;
  PictoryClient client(ClientOptions{.oauth = OAuthOptions{"id", Secret("secret"), "u7"},
                                     .may_repeat = [&] { return ++asked > 1; }},
                       transport_, clock_);
  client.SetCredentialsRefused([&] { ++refused; });
  const auto poll = [&] {
    JobReply got;
    client.GetJob("a", v1::JOB_KIND_RENDER, 0, [&](JobReply reply) { got = std::move(reply); });
    return got.kind;
  };
  EXPECT_EQ(poll(), JobReply::Kind::kRunning);
  valid_ = "another, by now";
  EXPECT_EQ(poll(), JobReply::Kind::kUnavailable);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(refused, 0) << "a new token was not tried";
  EXPECT_EQ(poll(), JobReply::Kind::kRunning) << "by now there is one";
  clock_.Advance(limits::kTokenRefusedRetry);  // a new token is believed for so long
  valid_ = "yet another";
  EXPECT_EQ(poll(), JobReply::Kind::kRunning);
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace gateway::pictory
