// These tests show, while the account rests, what each call tells its caller, that nothing is sent,
// and that the call works again afterwards. They also show what the answers to these calls say of
// the account.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "jobs/deleter.h"
#include "jobs/outage.h"
#include "jobs/preview_editor.h"
#include "jobs/resolver.h"
#include "jobs/submitter_rig.h"
#include "jobs/upload_desk.h"
#include "support/records.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;
using ::testing::HasSubstr;
using ::testing::Not;

class RestingTest : public SubmitterTest {
 protected:
  struct Call {
    std::string name;
    std::function<absl::Status()> make;
    bool paid = false;
  };

  RestingTest() { MakeAll({.requests_per_second = 1000, .burst = 1000}); }

  void MakeAll(BudgetOptions budget) {
    Make(budget);
    resolver_ = std::make_unique<Resolver>(shards_, *upstreams_, *ledger_, store_, store_.sharing(),
                                           store_, hub_, *poller_, clock_, clock_, ResolveEvents{});
    deleter_ = std::make_unique<Deleter>(*upstreams_, *ledger_, store_, clock_);
    desk_ = std::make_unique<UploadDesk>(*upstreams_, clock_);
    accounts_ = std::make_unique<AccountDesk>(*upstreams_, clock_);
    editor_ = std::make_unique<PreviewEditor>(*accounts_);
    Put("doubt", v1::JOB_STATE_UNCONFIRMED);
    Put("done", v1::JOB_STATE_SUCCEEDED);
    AllIsWell();
  }

  void AllIsWell() {
    transport_.SetScript([](const http::Request& request) {
      if (request.path.starts_with("/v1/media/")) return Reply(200, kUploadPlace);
      if (request.path == "/v1/jobs") return Reply(200, R"({"items":[]})");
      if (request.lane == http::Lane::kPaid) return Reply(200, kAccepted);
      return Reply(200, R"({"success":true,"data":{"status":"in-progress"}})");
    });
  }

  void Put(const std::string& id, JobState state) {
    JobRecord record = test::RecordOf(
        state == v1::JOB_STATE_UNCONFIRMED ? SubmissionState::kUnknown : SubmissionState::kAccepted,
        id, clock_.WallNow());
    record.job.kind = v1::JOB_KIND_PREVIEW;
    record.job.state = state;
    record.sent_at = record.accepted_at = clock_.WallNow();
    store_.Adopt(record, [](const absl::Status&) {});
    record.version = 1;
    hub_.Publish(record);
    resolver_->OnChange(record);
  }

  absl::Status Upload() {
    absl::Status told = absl::InternalError("no answer");
    auto request = std::make_shared<v1::CreateUploadRequest>();
    request->set_file_name("a.mp4");
    desk_->Create({}, std::move(request), [&](const auto& answer) { told = answer.status(); });
    return told;
  }
  absl::Status Change() {
    absl::Status told = absl::InternalError("no answer");
    auto request = std::make_shared<v1::UpdatePreviewRequest>();
    request->set_elements_json("[{}]");
    editor_->Update(hub_.Find("default", "done"), request, nullptr,
                    [&](const absl::Status& status) { told = status; });
    return told;
  }
  absl::Status Delete() {
    absl::Status told = absl::InternalError("no answer");
    deleter_->Delete("default", "done", [&](const auto& answer) { told = answer.status(); });
    return told;
  }
  absl::Status Resolve(const std::string& adopt) {
    absl::Status told = absl::InternalError("no answer");
    v1::ResolveJobRequest request;
    request.set_job_id("doubt");
    if (!adopt.empty()) request.set_adopt_pictory_job_id(adopt);
    resolver_->Resolve("default", request, [&](const auto& answer) { told = answer.status(); });
    return told;
  }

  // The calls that change something for good come last.
  std::vector<Call> Calls() {
    return {{"upload", [this] { return Upload(); }},
            {"change", [this] { return Change(); }},
            {"candidates", [this] { return Resolve(""); }},
            {"adopt", [this] { return Resolve("p-doubt"); }},
            {"delete", [this] { return Delete(); }},
            {"submit", [this] { return Submit(Preview("r1")).status(); }, true}};
  }

  // Each call is refused for that reason, with nothing sent.
  void ExpectRefused(const std::string& reason, bool says_when) {
    const std::size_t sent = transport_.requests().size();
    for (const Call& call : Calls()) {
      SCOPED_TRACE(call.name);
      const absl::Status told = call.make();
      EXPECT_EQ(errors::Reason(told), reason) << told;
      EXPECT_EQ(errors::RetryDelay(told) > 0s, says_when) << told;
      // A person who resolves an unconfirmed job must not read that it was not submitted.
      if (!call.paid) {
        EXPECT_THAT(std::string(told.message()), Not(HasSubstr("submitted")));
      } else if (says_when) {
        EXPECT_THAT(std::string(told.message()), HasSubstr("nothing was submitted"));
      }
    }
    EXPECT_EQ(transport_.requests().size(), sent);
  }
  void ExpectAllWork() {
    AllIsWell();
    for (const Call& call : Calls()) EXPECT_TRUE(call.make().ok()) << call.name;
  }

  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Deleter> deleter_;
  std::unique_ptr<UploadDesk> desk_;
  std::unique_ptr<AccountDesk> accounts_;
  std::unique_ptr<PreviewEditor> editor_;
};

TEST_F(RestingTest, A429ToAnyCallHoldsAllOfThem) {
  for (std::size_t i = 0; i < Calls().size(); ++i) {
    SCOPED_TRACE(Calls()[i].name);
    transport_.AnswerAllWith(Reply(429, "{}", {{"retry-after", "20"}}));
    const std::size_t sent = transport_.requests().size();
    const absl::Status first = Calls()[i].make();
    EXPECT_EQ(transport_.requests().size(), sent + 1);
    EXPECT_EQ(errors::Reason(first), errors::kUpstreamRateLimited) << first;
    EXPECT_EQ(errors::RetryDelay(first), 20s);
    ExpectRefused(errors::kUpstreamRateLimited, true);
    clock_.Advance(40s);
  }
  ExpectAllWork();
}

TEST_F(RestingTest, CredentialsThatAPollSawRefusedHoldAllOfThem) {
  Put("running", v1::JOB_STATE_RUNNING);
  OutageWatch outage(*account_, UpstreamPeer::ClientOf(*upstream_), clock_, clock_, nullptr);
  transport_.AnswerAllWith(Reply(401, R"({"message":"Unauthorized"})"));
  store_.FindRequest("default", "request-running", [this](const auto& found) {
    poller_->OnChange(**found, MakeSnapshot((*found)->job));
  });
  for (int i = 0; i < 60 && transport_.requests().empty(); ++i) clock_.Advance(1s);
  ASSERT_EQ(transport_.requests().size(), 2u)
      << "the poll, and the question whether it is the account";
  clock_.Advance(limits::kCredentialsConfirmAfter);  // and once more
  ExpectRefused(errors::kUpstreamCredentials, false);
  AllIsWell();
  clock_.Advance(30s);
  ExpectAllWork();
}

TEST_F(RestingTest, RefusedCredentialsAndA429DoNotHideEachOther) {
  account_->SetResting(errors::UpstreamCredentials("m"));
  account_->OnRateLimited(60s);
  ExpectRefused(errors::kUpstreamCredentials, false);
  account_->SetResting(absl::OkStatus());
  ExpectRefused(errors::kUpstreamRateLimited, true);
  clock_.Advance(61s);
  ExpectAllWork();
}

TEST_F(RestingTest, WhilePictoryIsSilentNoneIsSent) {
  account_->SetResting(absl::UnavailableError("m"));
  ExpectRefused("UPSTREAM_UNREACHABLE", true);
  account_->SetResting(absl::OkStatus());
  ExpectAllWork();
}

TEST_F(RestingTest, OurOwnBudgetIsNamedOnlyWhereItIsTheReason) {
  MakeAll({.requests_per_second = 0.5, .burst = 1});
  account_->Spend(Budget::Share::kPoll);
  account_->Spend(Budget::Share::kSubmit);
  ExpectRefused("UPSTREAM_BUDGET", true);
}

// Whatever Pictory answers shows that it can be asked.
TEST_F(RestingTest, AnAnswerToAnyCallEndsThatPictoryCannotBeAsked) {
  for (const Call& call : Calls()) {
    SCOPED_TRACE(call.name);
    for (const http::Response& nothing : {Reply(503, "x"), test::NotSent(), Reply(401, "{}")}) {
      if (call.paid) break;  // a submit that Pictory may have accepted is not made again
      for (int i = 0; i < limits::kDegradedAfter; ++i) account_->NoteSilentPoll();
      transport_.AnswerAllWith(nothing);
      EXPECT_FALSE(call.make().ok());
      EXPECT_TRUE(account_->degraded());
    }
    for (int i = 0; i < limits::kDegradedAfter; ++i) account_->NoteSilentPoll();
    ASSERT_TRUE(account_->degraded());
    AllIsWell();
    EXPECT_TRUE(call.make().ok());
    EXPECT_FALSE(account_->degraded());
  }
}

TEST_F(RestingTest, ARefusalIsAnAnswerToo) {
  for (const Call& call : Calls()) {
    if (call.name == "delete") continue;  // which a refusal lets through
    SCOPED_TRACE(call.name);
    for (int i = 0; i < limits::kDegradedAfter; ++i) account_->NoteSilentPoll();
    transport_.AnswerAllWith(Reply(404, R"({"code":"JOB_NOT_FOUND","message":"m"})"));
    EXPECT_FALSE(call.make().ok());
    EXPECT_FALSE(account_->degraded());
  }
}

TEST_F(RestingTest, CallsWithoutAnAnswerAreReported) {
  int silent = 0;
  account_->SetSuspected([&] { ++silent; });
  transport_.AnswerAllWith(test::Cut());
  for (int i = 1; i < limits::kOutageSuspectedAfter; ++i) {
    Calls()[static_cast<std::size_t>(i % 4)].make().IgnoreError();
  }
  EXPECT_EQ(silent, 0);
  EXPECT_TRUE(absl::IsUnavailable(Upload()));
  EXPECT_EQ(silent, 1);
}

TEST_F(RestingTest, TheProbeThatEndsAnOutageEndsItForWatchersToo) {
  OutageWatch outage(*account_, UpstreamPeer::ClientOf(*upstream_), clock_, clock_, nullptr);
  for (int i = 0; i < limits::kDegradedAfter; ++i) account_->NoteSilentPoll();
  transport_.AnswerAllWith(Reply(200, "{}"));
  for (int i = 0; i < limits::kOutageSuspectedAfter; ++i) account_->NoteAnswer(false);
  EXPECT_EQ(transport_.requests().size(), 1u);
  EXPECT_TRUE(account_->degraded()) << "it is jobs that cannot be asked about";
  clock_.Advance(limits::kOutageProbeInterval);
  transport_.AnswerAllWith(Reply(503, "x"));
  for (int i = 0; i < limits::kOutageSuspectedAfter; ++i) account_->NoteAnswer(false);
  ASSERT_TRUE(account_->resting());
  transport_.AnswerAllWith(Reply(200, "{}"));
  clock_.Advance(limits::kOutageProbeInterval);
  ASSERT_FALSE(account_->resting());
  EXPECT_FALSE(account_->degraded());
}

}  // namespace
}  // namespace gateway::jobs
