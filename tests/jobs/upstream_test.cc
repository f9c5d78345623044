#include "jobs/upstream.h"

#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Purpose kAll[] = {Purpose::kSubmit, Purpose::kChange, Purpose::kPoll, Purpose::kLook};

class UpstreamTest : public testing::Test {
 protected:
  void Make(BudgetOptions budget) {
    upstreams_ = MakeUpstreams(budget, transport_, clock_);
    upstream_ = upstreams_->Of(kDefaultAccount).get();
    account_ = &UpstreamPeer::AccountOf(*upstream_);
  }
  std::optional<Upstream::Turn> Take(Purpose purpose) { return upstream_->TryTake(purpose); }
  void Ask(Purpose purpose, const http::Response& answer) {
    transport_.AnswerAllWith(answer);
    auto turn = Take(purpose);
    ASSERT_TRUE(turn.has_value());
    upstream_->GetJob(*std::move(turn), {.pictory_job_id = "a"}, [](const pictory::JobReply&) {});
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::unique_ptr<Upstreams> upstreams_;
  Upstream* upstream_ = nullptr;  // the default account's
  Account* account_ = nullptr;
};

TEST_F(UpstreamTest, ATurnThatIsDroppedIsGivenBackAndAUsedOneIsNot) {
  Make({.requests_per_second = 0.001, .burst = 2});
  transport_.AnswerAllWith(Reply(200, "{}"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(Purpose::kPoll).has_value());
  auto turn = Take(Purpose::kPoll);
  std::optional<Upstream::Turn> moved = std::move(turn);
  turn.reset();
  EXPECT_FALSE(Take(Purpose::kLook).has_value()) << "it is still held";
  upstream_->GetJob(*std::move(moved), {.pictory_job_id = "a"}, [](const pictory::JobReply&) {});
  moved.reset();
  EXPECT_FALSE(Take(Purpose::kPoll).has_value());
}

TEST_F(UpstreamTest, SubmitsAndUploadsShareALineAsPollsAndLooksDo) {
  Make({.requests_per_second = 0.001, .burst = 2});
  const auto submit = Take(Purpose::kSubmit);
  EXPECT_FALSE(Take(Purpose::kChange).has_value());
  const auto look = Take(Purpose::kLook);
  EXPECT_TRUE(look.has_value());
  EXPECT_FALSE(Take(Purpose::kPoll).has_value());
}

// The test tries each purpose in each state of the account: whether a call may go, and what its
// caller is told.
TEST_F(UpstreamTest, ARefusalSaysWhatIsTrueOfItsPurpose) {
  struct State {
    std::string name;
    std::function<void()> enter;
    std::string reason;
    bool says_when;
  };
  const State states[] = {
      {"budget",
       [&] {
         Make({.requests_per_second = 0.001, .burst = 1});
         account_->Spend(Budget::Share::kPoll);
         account_->Spend(Budget::Share::kSubmit);
       },
       "UPSTREAM_BUDGET", true},
      {"429", [&] { account_->OnRateLimited(30s); }, "UPSTREAM_RATE_LIMITED", true},
      {"silent", [&] { account_->SetResting(absl::UnavailableError("silent")); },
       "UPSTREAM_UNREACHABLE", true},
      {"refused", [&] { account_->SetResting(errors::UpstreamCredentials("no")); },
       "UPSTREAM_CREDENTIALS", false},
  };
  for (const State& state : states) {
    for (const Purpose purpose : kAll) {
      SCOPED_TRACE(state.name + " " + std::to_string(static_cast<int>(purpose)));
      Make({.requests_per_second = 100, .burst = 100});
      state.enter();
      EXPECT_FALSE(Take(purpose).has_value());
      EXPECT_GT(upstream_->NextAt(purpose), clock_.Now());
      const absl::Status told = upstream_->Refusal(purpose);
      EXPECT_EQ(errors::Reason(told), state.reason);
      EXPECT_EQ(errors::RetryDelay(told) > 0s, state.says_when);
      const std::string words(told.message());
      if (purpose != Purpose::kSubmit) {
        EXPECT_THAT(words, Not(HasSubstr("submitted")));
      } else if (state.says_when) {
        EXPECT_THAT(words, HasSubstr("nothing was submitted"));
      }
    }
  }
}

TEST_F(UpstreamTest, OnlyPollsWithoutAnAnswerShowThatWatchersLag) {
  Make({.requests_per_second = 100, .burst = 100});
  for (int i = 0; i < limits::kDegradedAfter; ++i) Ask(Purpose::kLook, Reply(503, "busy"));
  EXPECT_FALSE(upstream_->degraded());
  for (int i = 0; i < limits::kDegradedAfter; ++i) Ask(Purpose::kPoll, Reply(503, "busy"));
  EXPECT_TRUE(upstream_->degraded());
  Ask(Purpose::kLook, Reply(404, "{}"));
  EXPECT_FALSE(upstream_->degraded()) << "whatever is answered shows that Pictory is there";
}

TEST_F(UpstreamTest, CredentialsRefusedToAnyPurposeAreAskedAbout) {
  for (const int status : {401, 403}) {
    for (const Purpose purpose : {Purpose::kPoll, Purpose::kLook}) {
      SCOPED_TRACE(std::to_string(status));
      transport_.AnswerAllWith(Reply(status, R"({"message":"No"})"));
      const auto upstream = std::make_shared<Upstream>(
          UpstreamOptions{.client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
                          .budget = {.requests_per_second = 100, .burst = 100}},
          transport_, clock_, clock_, UpstreamEvents{});
      upstream->GetJob(*upstream->TryTake(purpose), {.pictory_job_id = "a"},
                       [](const pictory::JobReply&) {});
      clock_.Advance(limits::kCredentialsConfirmAfter);
      EXPECT_TRUE(upstream->credentials_refused());
      EXPECT_FALSE(upstream->TryTake(Purpose::kSubmit).has_value());
      upstream->Stop();
    }
  }
}

TEST_F(UpstreamTest, ANewSecretIsTriedAtOnce) {
  transport_.SetScript([](const http::Request& request) {
    return test::HeaderOf(request, "Authorization") == "pictai_new" ? Reply(200, "{}")
                                                                    : Reply(401, "");
  });
  std::vector<bool> rests;
  const auto upstream = std::make_shared<Upstream>(
      UpstreamOptions{.client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
                      .budget = {.requests_per_second = 100, .burst = 100}},
      transport_, clock_, clock_,
      UpstreamEvents{.rests = [&](const absl::Status& why) { rests.push_back(!why.ok()); }});
  upstream->GetJob(*upstream->TryTake(Purpose::kPoll), {.pictory_job_id = "a"},
                   [](const pictory::JobReply&) {});
  clock_.Advance(limits::kCredentialsConfirmAfter);
  ASSERT_TRUE(upstream->resting());
  upstream->ReplaceSecret(Secret("pictai_new"));
  EXPECT_FALSE(upstream->resting());
  EXPECT_EQ(rests, (std::vector<bool>{true, false}));
  upstream->Stop();
}

// Where the transport asks whether it may send a call again.
TEST_F(UpstreamTest, ReadsAreRepeatedWithinABudgetAndPostsNever) {
  Make({.requests_per_second = 1000, .burst = 1000});
  transport_.AnswerAllWith(Reply(200, kRunning));
  for (int i = 0; i < 100; ++i) Ask(Purpose::kPoll, Reply(200, kRunning));
  const auto may_repeat = transport_.requests().back().may_repeat;
  ASSERT_TRUE(may_repeat != nullptr);
  int repeats = 0;
  while (may_repeat()) ++repeats;
  EXPECT_EQ(repeats, 10);
  Ask(Purpose::kLook, Reply(200, kRunning));
  EXPECT_FALSE(transport_.requests().back().may_repeat()) << "all of the account share it";
  clock_.Advance(61s);
  EXPECT_TRUE(transport_.requests().back().may_repeat());

  transport_.AnswerAllWith(Reply(200, kUploadPlace));
  v1::CreateUploadRequest upload;
  upload.set_file_name("a.mp4");
  upstream_->CreateUpload(*Take(Purpose::kChange), upload, [](const auto&) {});
  ASSERT_EQ(transport_.requests().back().method, "POST");
  EXPECT_FALSE(transport_.requests().back().may_repeat());
}

// A poll whose answer does not come is asked again by its schedule, which slows down; nothing is
// sent twice for one turn.
TEST_F(UpstreamTest, NothingIsSentAgainForOneTurnHoweverItFails) {
  Make({.requests_per_second = 1000, .burst = 1000});
  std::size_t sent = 0;
  for (const http::Response& answer :
       {test::NotSent(), test::Cut(), Reply(500, ""), Reply(503, ""), Reply(429, ""),
        Reply(404, "{}"), Reply(200, "no JSON"), Reply(401, "{}")}) {
    for (const Purpose purpose : {Purpose::kPoll, Purpose::kLook}) {
      Ask(purpose, answer);
      EXPECT_EQ(transport_.requests().size(), ++sent) << answer.status;
      clock_.Advance(20min);
      sent = transport_.requests().size();
    }
  }
}

}  // namespace
}  // namespace gateway::jobs
