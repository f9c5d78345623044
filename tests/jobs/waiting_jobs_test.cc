// Renders that wait for their previews, through a whole core on simulated time: its store outlives
// it, as a disk does.
#include "jobs/waiting_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/core.h"
#include "support/busy_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_peer.h"
#include "support/waiting_peer.h"

namespace gateway::jobs {

namespace {

using namespace std::chrono_literals;
using test::Reply;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kGoesOn[] = R"({"success":true,"data":{"status":"in-progress"}})";
constexpr char kPreviewDone[] =
    R"({"success":true,"data":{"status":"completed","preview":"https://p.example/p",)"
    R"("renderParams":{"a":1}}})";
constexpr char kVideoDone[] =
    R"({"success":true,"data":{"status":"completed","videoURL":"https://cdn.example/v.mp4"}})";
constexpr char kPreviewFailed[] =
    R"({"success":false,"data":{"status":"failed","error_code":"X","error_message":"no voice"}})";

class WaitingJobsTest : public testing::Test {
 protected:
  WaitingJobsTest() {
    transport_.SetScript([this](const http::Request& request) { return Answer(request); });
    Start();
  }
  ~WaitingJobsTest() override { clock_.Forget(); }

  std::optional<http::Response> Answer(const http::Request& request) {
    if (request.path.find("/render/") != std::string::npos) {
      ++renders_;
      store_.busy_for = std::exchange(busy_after_render_, 0);
      return render_;
    }
    if (request.method == "POST") {
      return Reply(200, R"({"success":true,"data":{"jobId":")" + made_ + "\"}}");
    }
    const bool of_preview = request.path[request.path.size() - 2] == 'p';  // p1, p2 and so on
    if (of_preview) ++polls_of_previews_;
    if (of_preview) return Reply(200, preview_);
    return Reply(200, video_);
  }

  void Start() {
    absl::StatusOr<Recovered> recovered = store_.Recover(clock_.WallNow());
    ASSERT_TRUE(recovered.ok());
    CoreOptions options;
    if (configured_) {
      options.accounts[kDefaultAccount] = {
          .client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
          .budget = {.requests_per_second = requests_per_second_, .burst = 1000}};
    }
    options.spending = limits_;
    options.limits_of = [this](const std::string&) { return tenant_; };
    core_ = std::make_unique<Core>(
        std::move(options), CoreEvents{},
        CoreGround{store_, transport_, broadcaster_, clock_, clock_, random_}, *recovered);
    if (configured_) UpstreamPeer::StayAwake(*core_->upstreams.Of(kDefaultAccount));
    ASSERT_TRUE(core_->TakeUp().ok());
  }
  // As by kill -9: what was under way goes on nowhere.
  void Restart() {
    core_->Stop();
    clock_.Forget();
    dead_.push_back(std::move(core_));
    Start();
  }

  SubmitRequest Preview(const std::string& request_id) {
    auto message = std::make_shared<v1::CreatePreviewRequest>();
    message->mutable_storyboard()->set_video_name("n");
    message->mutable_storyboard()->add_scenes()->set_story("Hello.");
    return {.kind = v1::JOB_KIND_PREVIEW,
            .request_id = request_id,
            .name = "the film",
            .fingerprint = "preview",
            .request = std::move(message)};
  }
  SubmitRequest Render(const std::string& request_id, bool waits = true) {
    auto message = std::make_shared<v1::RenderRequest>();
    message->set_preview_job_id(preview_id_);
    return {.kind = v1::JOB_KIND_RENDER,
            .request_id = request_id,
            .labels = {{"team", "a"}},
            .fingerprint = "render",
            .request = std::move(message),
            .waits = waits};
  }
  Submitter::Answer Submit(SubmitRequest request) {
    std::optional<Submitter::Answer> answer;
    core_->submitter.Submit(std::move(request),
                            [&](const Submitter::Answer& given, const AnswerSource& source) {
                              answer = given;
                              source_ = source;
                              if (arrives_ && source.call != nullptr) source.call->Arrived();
                            });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }
  void MakePreview() {
    const auto preview = Submit(Preview("preview"));
    ASSERT_TRUE(preview.ok()) << preview.status();
    preview_id_ = std::string((*preview)->job_id());
  }
  // A render that waits; its job.
  v1::Job Hold(const std::string& request_id = "render") {
    const auto answer = Submit(Render(request_id));
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return {};
    EXPECT_EQ((*answer)->state, v1::JOB_STATE_WAITING);
    return ToProto(**answer);
  }
  v1::Job Get(const std::string& job_id) {
    v1::Job job;
    core_->hub.Load("default", job_id, [&](const absl::StatusOr<SnapshotPtr>& found) {
      ASSERT_TRUE(found.ok()) << found.status();
      job = ToProto(**found);
    });
    return job;
  }
  JobRecord Stored(const std::string& request_id = "render") {
    std::optional<JobRecord> record;
    store_.FindRequest("default", request_id, [&](const auto& found) { record = *found; });
    return record.value_or(JobRecord{});
  }
  absl::StatusOr<v1::Job> Delete(const std::string& job_id) {
    std::optional<absl::StatusOr<v1::Job>> answer;
    core_->deleter.Delete("default", job_id, [&](auto given) { answer = std::move(given); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  absl::StatusOr<v1::Job> Cancel(const std::string& job_id) {
    std::optional<absl::StatusOr<v1::Job>> answer;
    core_->deleter.Cancel("default", job_id, [&](auto given) { answer = std::move(given); });
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  test::BusyStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Random random_{1};
  SpendingLimits limits_;
  tenants::TenantLimits tenant_;
  double requests_per_second_ = 1000;
  bool configured_ = true;
  std::vector<std::unique_ptr<Core>> dead_;
  std::unique_ptr<Core> core_;
  std::string preview_id_;
  std::string made_ = "p1";  // Pictory's id of the next preview
  bool arrives_ = true;      // the answers to submits
  AnswerSource source_;
  int busy_after_render_ = 0;  // for so many writes from the next render on
  int renders_ = 0;            // paid requests that reached Pictory
  int polls_of_previews_ = 0;
  std::string preview_ = kGoesOn;
  std::string video_ = kGoesOn;
  std::optional<http::Response> render_ = Reply(200, R"({"success":true,"data":{"jobId":"v1"}})");
};

TEST_F(WaitingJobsTest, WaitsIsSentOnceAndBecomesAVideo) {
  MakePreview();
  const v1::Job held = Hold();
  EXPECT_EQ(held.revision(), 1);
  EXPECT_EQ(held.labels().at("team"), "a");
  EXPECT_EQ(held.name(), "the film") << "that of the preview";
  EXPECT_THAT(held.message(), HasSubstr(preview_id_));
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 0);
  EXPECT_EQ(core_->waiting.waiting(), 1U);
  EXPECT_EQ(core_->active_jobs("default"), 2U);

  preview_ = kPreviewDone;
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(transport_.requests().back().path.find("waiting"), std::string::npos);
  v1::Job sent = Get(held.job_id());
  EXPECT_EQ(sent.pictory_job_id(), "v1");
  EXPECT_EQ(sent.message(), "");
  EXPECT_GT(sent.revision(), held.revision());
  EXPECT_EQ(core_->waiting.waiting(), 0U);
  EXPECT_EQ(Stored().waiting_request, "");

  video_ = kVideoDone;
  clock_.Advance(10min);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, WithoutTheFlagItIsRefusedUnlessItRepeatsOneThatWaits) {
  MakePreview();
  const auto refused = Submit(Render("render", /*waits=*/false));
  EXPECT_EQ(errors::Reason(refused.status()), "JOB_NOT_FINISHED");
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr("(wait_for_preview)"));
  const v1::Job held = Hold();
  const auto again = Submit(Render("render", /*waits=*/false));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->job_id(), held.job_id());
  EXPECT_EQ(Hold().job_id(), held.job_id());
  EXPECT_EQ(core_->waiting.waiting(), 1U);
}

TEST_F(WaitingJobsTest, OfAPreviewThatHasEndedItIsSentAtOnce) {
  MakePreview();
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  const auto sent = Submit(Render("render"));
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ((*sent)->state, v1::JOB_STATE_QUEUED);
}

TEST_F(WaitingJobsTest, AnEqualSubmitWithoutARequestIdIsTheOneThatWaits) {
  MakePreview();
  const v1::Job held = Hold();
  clock_.Advance(1h);  // long after the answer counts as arrived
  SubmitRequest equal = Render("minted-1");
  equal.minted_request_id = true;
  const auto joined = Submit(std::move(equal));
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ((*joined)->job_id(), held.job_id());
  EXPECT_EQ(source_.rule, AnswerRule::kJoined);
  EXPECT_EQ(source_.request_id, "render");
}

TEST_F(WaitingJobsTest, WhoseAnswerWasLostIsNotPaidForTwiceAfterARestart) {
  MakePreview();
  arrives_ = false;
  SubmitRequest first = Render("minted-1");
  first.minted_request_id = true;
  const auto held = Submit(std::move(first));
  ASSERT_TRUE(held.ok()) << held.status();
  Restart();
  arrives_ = true;
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  ASSERT_EQ(renders_, 1);
  SubmitRequest equal = Render("minted-2");
  equal.minted_request_id = true;
  const auto again = Submit(std::move(equal));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->job_id(), (*held)->job_id());
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, NobodyIsToldOfOneThatIsBeingSentWhenTheProcessEnds) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = std::nullopt;  // the answer is still to come, and may say that nothing was sent
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  ASSERT_EQ(renders_, 1);
  core_->submitter.AnswerUnconfirmed();
  EXPECT_EQ(Stored().submission, SubmissionState::kSending);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING);
}

TEST_F(WaitingJobsTest, OutlivesTheProcessWhileItWaits) {
  MakePreview();
  const v1::Job held = Hold();
  Restart();
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING);
  EXPECT_EQ(core_->waiting.waiting(), 1U);
  EXPECT_EQ(Hold().job_id(), held.job_id());
  preview_ = kPreviewDone;
  clock_.Advance(10min);
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(Get(held.job_id()).pictory_job_id(), "v1");
}

TEST_F(WaitingJobsTest, IsSentAtTheStartIfThePreviewEndedAMomentBeforeTheEnd) {
  MakePreview();
  const v1::Job held = Hold();
  core_->spending.SetStopped(true);  // so that nothing is sent by the first process
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  ASSERT_EQ(Get(preview_id_).state(), v1::JOB_STATE_SUCCEEDED);
  ASSERT_EQ(renders_, 0);
  Restart();
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_QUEUED);
}

TEST_F(WaitingJobsTest, WhatWasSentWhenTheProcessEndedIsUnconfirmedAndNeverSentAgain) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = std::nullopt;  // no answer comes
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(Stored().submission, SubmissionState::kSending);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING) << "callers see it all the while";
  bool listed = false;
  store_.List("default", {.states = {v1::JOB_STATE_WAITING}, .limit = 5},
              [&](const auto& jobs) { listed = jobs->size() == 1; });
  EXPECT_TRUE(listed);
  const auto again = Submit(Render("render"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->job_id(), held.job_id());
  EXPECT_THAT(Delete(held.job_id()).status().ToString(), HasSubstr("is being sent"));
  Restart();
  const v1::Job now = Get(held.job_id());
  EXPECT_EQ(now.state(), v1::JOB_STATE_UNCONFIRMED);
  EXPECT_GT(now.revision(), held.revision());
  clock_.Advance(24h);
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, FailsWithThePreview) {
  MakePreview();
  const v1::Job held = Hold();
  preview_ = kPreviewFailed;
  clock_.Advance(5min);
  const v1::Job now = Get(held.job_id());
  EXPECT_EQ(now.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(now.error().code(), "REFERENCED_JOB_FAILED");
  EXPECT_THAT(now.error().message(), HasSubstr("no voice"));
  EXPECT_TRUE(now.has_finish_time());
  EXPECT_EQ(renders_, 0);
  EXPECT_EQ(core_->spending.spent_today("default").submits, 1U) << "the preview alone";
  const auto again = Submit(Render("render"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->state, v1::JOB_STATE_FAILED);
  ASSERT_TRUE(Delete(held.job_id()).ok());
}

TEST_F(WaitingJobsTest, FailsIfThePreviewExpires) {
  MakePreview();
  const v1::Job held = Hold();
  clock_.Advance(8 * 24h);
  EXPECT_EQ(Get(held.job_id()).error().code(), "REFERENCED_JOB_EXPIRED");
}

TEST_F(WaitingJobsTest, WaitsForAPreviewThatIsUnconfirmed) {
  transport_.SetScript([this](const http::Request& request) -> std::optional<http::Response> {
    if (request.method == "POST") return test::Cut();
    return Answer(request);
  });
  MakePreview();
  ASSERT_EQ(Get(preview_id_).state(), v1::JOB_STATE_UNCONFIRMED);
  const v1::Job held = Hold();
  v1::ResolveJobRequest request;
  request.set_job_id(preview_id_);
  request.set_abandon(true);
  core_->resolver.Resolve("default", request, [](const auto& resolved) {
    EXPECT_TRUE(resolved.ok()) << resolved.status();
  });
  EXPECT_EQ(Get(held.job_id()).error().code(), "REFERENCED_JOB_OUTCOME_UNKNOWN");
}

TEST_F(WaitingJobsTest, FailsIfThePreviewIsDeletedBeforeItCouldBeSent) {
  MakePreview();
  const v1::Job held = Hold();
  core_->spending.SetStopped(true);
  preview_ = kPreviewDone;
  clock_.Advance(5min);
  EXPECT_THAT(Get(held.job_id()).message(), HasSubstr("SUBMITS_STOPPED"));
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING);
  transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
  ASSERT_TRUE(Delete(preview_id_).ok());
  clock_.Advance(2min);
  EXPECT_EQ(Get(held.job_id()).error().code(), "REFERENCED_JOB_DELETED");
}

TEST_F(WaitingJobsTest, DeleteCancelsIt) {
  MakePreview();
  const v1::Job held = Hold();
  const auto cancelled = Delete(held.job_id());
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(core_->waiting.waiting(), 0U);
  EXPECT_EQ(core_->spending.spent_today("default").submits, 1U);
  preview_ = kPreviewDone;
  clock_.Advance(10min);
  Restart();
  clock_.Advance(10min);
  EXPECT_EQ(renders_, 0);
  const auto again = Submit(Render("render"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->state, v1::JOB_STATE_CANCELLED) << "its request_id is that job for good";
  const auto deleted = Delete(held.job_id());
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->state(), v1::JOB_STATE_CLEANED);
}

TEST_F(WaitingJobsTest, ACancelMaySafelyComeTwice) {
  MakePreview();
  const v1::Job held = Hold();
  const auto cancelled = Cancel(held.job_id());
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::JOB_STATE_CANCELLED);
  const auto again = Cancel(held.job_id());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(again->revision(), cancelled->revision());
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_CANCELLED) << "it is still there";
  ASSERT_TRUE(Delete(held.job_id()).ok());
  EXPECT_EQ(errors::Reason(Cancel(held.job_id()).status()), "JOB_NOT_FOUND");
}

TEST_F(WaitingJobsTest, ACancelThatComesTooLateDeletesNothing) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = std::nullopt;  // the answer is still to come
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  ASSERT_EQ(renders_, 1);
  EXPECT_THAT(Cancel(held.job_id()).status().ToString(),
              AllOf(HasSubstr("is being sent"), HasSubstr("cannot be cancelled")));
  Restart();
  EXPECT_EQ(errors::Reason(Cancel(held.job_id()).status()), "JOB_NOT_WAITING") << "UNCONFIRMED";
  const std::size_t asked = transport_.requests().size();
  const absl::Status ended = Cancel(preview_id_).status();
  EXPECT_EQ(ended.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(ended), "JOB_NOT_WAITING");
  EXPECT_THAT(ended.ToString(), HasSubstr("it is SUCCEEDED"));
  EXPECT_EQ(Get(preview_id_).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(transport_.requests().size(), asked) << "Pictory's outputs stay";
}

// The store has another word than this process has read: what is stored decides.
TEST_F(WaitingJobsTest, ACancelOfOneThatIsSentAtThatMomentDeletesNothing) {
  MakePreview();
  const v1::Job held = Hold();
  store_.before_update = [this] {
    JobRecord ended = Stored();
    ended.submission = SubmissionState::kAccepted;
    ended.job.state = v1::JOB_STATE_SUCCEEDED;
    ended.job.finish_time = clock_.WallNow();
    ++ended.job.revision;
    // Another process with the same store: this one hears nothing of it.
    store_.Update(ended, {}, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  };
  EXPECT_EQ(errors::Reason(Cancel(held.job_id()).status()), "JOB_NOT_WAITING");
  EXPECT_EQ(Stored().job.state, v1::JOB_STATE_SUCCEEDED);
}

// Whoever changes the record first decides: here the cancel is stored while the attempt to send
// waits for its turn.
TEST_F(WaitingJobsTest, ACancelThatIsFirstInTheStoreIsNotSent) {
  MakePreview();
  const v1::Job held = Hold();
  JobRecord cancelled = Stored();
  cancelled.submission = SubmissionState::kAccepted;
  cancelled.job.state = v1::JOB_STATE_CANCELLED;
  cancelled.job.finish_time = clock_.WallNow();
  ++cancelled.job.revision;
  std::optional<JobRecord> stale = Stored();
  // Another process with the same store: this one hears nothing of it.
  store_.Update(cancelled, {}, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  std::optional<absl::Status> sent;
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  core_->submitter.SendWaiting(*stale, 0, [&](const absl::Status& why) { sent = why; });
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(absl::IsAborted(*sent)) << *sent;
  EXPECT_EQ(renders_, 0);
  EXPECT_EQ(Stored().job.state, v1::JOB_STATE_CANCELLED);
}

TEST_F(WaitingJobsTest, WhatMayPassIsTriedAgainAndTold) {
  struct Case {
    http::Response answer;
    const char* told;
  };
  const Case cases[] = {{Reply(429, "{}"), "UPSTREAM_RATE_LIMITED"},
                        {test::NotSent(), "UPSTREAM_UNREACHABLE"},
                        {Reply(401, "{}"), "UPSTREAM_CREDENTIALS"}};
  MakePreview();
  preview_ = kPreviewDone;
  for (const Case& c : cases) {
    const std::string id = std::string("render-") + c.told;
    preview_ = kGoesOn;
    const auto preview = Submit(Preview("preview-" + id));
    ASSERT_TRUE(preview.ok());
  }
  const v1::Job held = Hold();
  std::int32_t revision = held.revision();
  int before = 0;
  preview_ = kPreviewDone;
  for (const Case& c : cases) {
    render_ = c.answer;
    clock_.Advance(20min);
    const v1::Job now = Get(held.job_id());
    EXPECT_EQ(now.state(), v1::JOB_STATE_WAITING) << c.told;
    EXPECT_THAT(now.message(), HasSubstr(c.told));
    EXPECT_LE(now.revision(), revision + 1) << "a reason is told once";
    revision = now.revision();
    EXPECT_GE(renders_, before + 2) << c.told;
    before = renders_;
    EXPECT_EQ(core_->spending.spent_today("default").submits, 1U + std::size(cases) + 1U);
  }
  render_ = Reply(200, R"({"success":true,"data":{"jobId":"v1"}})");
  clock_.Advance(20min);
  EXPECT_EQ(Get(held.job_id()).pictory_job_id(), "v1");
  EXPECT_EQ(renders_, before + 1);
}

TEST_F(WaitingJobsTest, ACertainRefusalFailsIt) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = Reply(402, R"({"code":"INSUFFICIENT_CREDITS","message":"too few credits"})");
  preview_ = kPreviewDone;
  clock_.Advance(5min);
  const v1::Job now = Get(held.job_id());
  EXPECT_EQ(now.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(now.error().code(), "UPSTREAM_CREDITS");
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(core_->spending.spent_today("default").submits, 1U);
}

TEST_F(WaitingJobsTest, AnOutcomeThatCannotBeKnownIsUnconfirmed) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = Reply(503, "busy");
  preview_ = kPreviewDone;
  clock_.Advance(5min);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(core_->spending.spent_today("default").submits, 2U);
  clock_.Advance(24h);
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, ItsPlaceInTheDayIsReserved) {
  limits_.per_day = 2;
  Restart();
  MakePreview();
  const v1::Job held = Hold();
  EXPECT_EQ(errors::Reason(Submit(Preview("other")).status()), "SPENDING_LIMIT");
  Restart();
  EXPECT_EQ(errors::Reason(Submit(Preview("other")).status()), "SPENDING_LIMIT");
  preview_ = kPreviewDone;
  clock_.Advance(5min);
  EXPECT_EQ(renders_, 1) << "it has its place";
  EXPECT_EQ(core_->spending.spent_today("default").submits, 2U);
}

TEST_F(WaitingJobsTest, ACancelGivesItsPlaceBack) {
  limits_.per_day = 2;
  Restart();
  MakePreview();
  const v1::Job held = Hold();
  ASSERT_TRUE(Delete(held.job_id()).ok());
  EXPECT_TRUE(Submit(Preview("other")).ok());
}

// What is not sent waits on as it was stored, and looks like a job that has just begun to wait.
TEST_F(WaitingJobsTest, OneFromBeforeARestartThatIsNotSentAtOnceHasOnePlace) {
  MakePreview();
  const v1::Job held = Hold();
  Restart();
  render_ = test::NotSent();
  preview_ = kPreviewDone;
  clock_.Advance(10min);
  ASSERT_GT(renders_, 0);
  ASSERT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING);
  ASSERT_TRUE(Delete(held.job_id()).ok());
  made_ = "p2";
  preview_ = kGoesOn;
  const auto other = Submit(Preview("other preview"));
  ASSERT_TRUE(other.ok()) << other.status();
  preview_id_ = std::string((*other)->job_id());
  EXPECT_EQ(Hold("other render").state(), v1::JOB_STATE_WAITING) << "there is room";
}

TEST_F(WaitingJobsTest, CountsAmongTheActiveJobsOfItsTenant) {
  tenant_.active_jobs = 2;
  MakePreview();
  Hold();
  EXPECT_EQ(errors::Reason(Submit(Render("second")).status()), "SPENDING_LIMIT");
  preview_ = kPreviewDone;
  clock_.Advance(5min);
  EXPECT_EQ(renders_, 1) << "the limit does not hold up what counts already";
}

TEST_F(WaitingJobsTest, ALargeRequestDoesNotWait) {
  MakePreview();
  auto message = std::make_shared<v1::RenderRequest>();
  message->set_preview_job_id(preview_id_);
  message->set_extra_json("{\"a\":\"" + std::string(limits::kWaitingRequestMaxBytes, 'x') + "\"}");
  SubmitRequest large = Render("large");
  large.request = std::move(message);
  const auto refused = Submit(std::move(large));
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  EXPECT_THAT(refused.status().message(), HasSubstr("wait_for_preview"));
}

TEST_F(WaitingJobsTest, OfOneTenantOnlySoManyBytesWait) {
  MakePreview();
  auto message = std::make_shared<v1::RenderRequest>();
  message->set_preview_job_id(preview_id_);
  message->set_extra_json("{\"a\":\"" + std::string(limits::kWaitingRequestMaxBytes - 100, 'x') +
                          "\"}");
  std::size_t held = 0;
  for (absl::Status status; status.ok() && held < limits::kWaitingJobsOfTenantMax; ++held) {
    SubmitRequest request = Render("r" + std::to_string(held));
    request.fingerprint += std::to_string(held);
    request.request = message;
    status = Submit(std::move(request)).status();
    EXPECT_TRUE(status.ok() || errors::Reason(status) == "TOO_MANY") << status;
  }
  EXPECT_GT(held, 200u);
  EXPECT_LT(held, limits::kWaitingBytesOfTenantMax / limits::kWaitingRequestMaxBytes + 10);
}

TEST_F(WaitingJobsTest, OneTenantsTriesLeaveRoomForAnothers) {
  MakePreview();
  for (std::size_t i = 0; i < 2 * limits::kWaitingTriedMax; ++i) {
    SubmitRequest request = Render("r" + std::to_string(i));
    request.fingerprint += std::to_string(i);
    ASSERT_TRUE(Submit(std::move(request)).ok());
  }
  made_ = "p2";
  SubmitRequest preview = Preview("preview");
  preview.owner.tenant = "other";
  const auto theirs = Submit(std::move(preview));
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  preview_id_ = std::string((*theirs)->job_id());
  SubmitRequest request = Render("render");
  request.owner.tenant = "other";
  ASSERT_TRUE(Submit(std::move(request)).ok());
  render_ = std::nullopt;  // Pictory hangs
  preview_ = kPreviewDone;
  clock_.Advance(20s);
  EXPECT_EQ(renders_, static_cast<int>(limits::kWaitingTriedOfTenantMax) + 1);
}

TEST_F(WaitingJobsTest, OfOneTenantOnlySoManyWait) {
  MakePreview();
  for (std::size_t i = 0; i < limits::kWaitingJobsOfTenantMax; ++i) {
    SubmitRequest request = Render("r" + std::to_string(i));
    request.fingerprint += std::to_string(i);
    ASSERT_TRUE(Submit(std::move(request)).ok());
  }
  SubmitRequest more = Render("more");
  more.fingerprint += "more";
  EXPECT_EQ(errors::Reason(Submit(std::move(more)).status()), "TOO_MANY");
  preview_ = kPreviewFailed;
  clock_.Advance(5min);
  EXPECT_EQ(core_->waiting.waiting(), 0U);
}

TEST_F(WaitingJobsTest, AnAccountThatIsNotOpenAfterARestartIsWaitedFor) {
  MakePreview();
  const v1::Job held = Hold();
  core_->spending.SetStopped(true);
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  configured_ = false;
  Restart();
  clock_.Advance(1h);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING);
  EXPECT_THAT(Get(held.job_id()).message(), HasSubstr("UPSTREAM_CREDENTIALS"));
  EXPECT_EQ(renders_, 0);
  configured_ = true;
  Restart();
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, AnEndInOrderLeavesItWaiting) {
  MakePreview();
  const v1::Job held = Hold();
  bool idle = false;
  core_->submitter.Drain([&] { idle = true; });
  EXPECT_TRUE(idle);
  preview_ = kPreviewDone;
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 0);
  EXPECT_EQ(Stored().submission, SubmissionState::kWaiting);
  Restart();
  EXPECT_EQ(renders_, 1);
}

// The preview was submitted and its answer lost; somebody named it by Pictory's id, so that it was
// adopted; and a render waits for it by the name that it has since.
class WaitingForAnAdopted : public WaitingJobsTest {
 protected:
  WaitingForAnAdopted() {
    transport_.SetScript([this](const http::Request& request) -> std::optional<http::Response> {
      return request.method == "POST" ? test::Cut() : Answer(request);
    });
    MakePreview();
    submitted_ = preview_id_;
    transport_.SetScript([this](const http::Request& request) { return Answer(request); });
    core_->adopter.Load({}, "p1", [this](const absl::StatusOr<SnapshotPtr>& found) {
      ASSERT_TRUE(found.ok()) << found.status();
      adopted_ = *found;
    });
    preview_id_ = std::string(adopted_->job_id());
  }
  // It turns out to be what was submitted.
  void TakeOver() {
    v1::ResolveJobRequest request;
    request.set_job_id(submitted_);
    request.set_adopt_pictory_job_id("p1");
    core_->resolver.Resolve("default", request, [](const auto& resolved) {
      EXPECT_TRUE(resolved.ok()) << resolved.status();
    });
    ASSERT_EQ(Get(preview_id_).job_id(), submitted_);
  }
  void ExpectSentAsSoonAsItHasSucceeded(const v1::Job& held) {
    preview_ = kPreviewDone;
    while (Get(submitted_).state() != v1::JOB_STATE_SUCCEEDED) clock_.Advance(10ms);
    EXPECT_EQ(renders_, 1);
    EXPECT_EQ(Get(held.job_id()).pictory_job_id(), "v1");
  }

  std::string submitted_;  // job ids
  SnapshotPtr adopted_;
};

TEST_F(WaitingForAnAdopted, ItWaitsForTheJobThatTookItOver) {
  const v1::Job held = Hold();
  TakeOver();
  clock_.Advance(1min);
  EXPECT_EQ(Get(held.job_id()).message(), held.message()) << "it was not tried";
  ExpectSentAsSoonAsItHasSucceeded(held);
}

TEST_F(WaitingForAnAdopted, ALookFromBeforeItWasTakenOverDoesNotHideTheOther) {
  preview_id_ = "p1";  // the name of both
  const v1::Job held = Hold();
  TakeOver();
  WaitingJobsPeer::OnFound(core_->waiting, {"default", held.job_id()}, adopted_);
  ExpectSentAsSoonAsItHasSucceeded(held);
}

TEST_F(WaitingForAnAdopted, ARestartFindsTheJobThatTookItOver) {
  const v1::Job held = Hold();
  TakeOver();
  Restart();
  clock_.Advance(1min);
  EXPECT_EQ(Get(held.job_id()).message(), held.message()) << "it was not tried";
  ExpectSentAsSoonAsItHasSucceeded(held);
}

TEST_F(WaitingJobsTest, JobsThatAreNotPolledDelayNoFirstPollAfterARestart) {
  MakePreview();
  for (int i = 0; i < 900; ++i) {
    SubmitRequest request = Render("r" + std::to_string(i));
    request.fingerprint += std::to_string(i);
    ASSERT_TRUE(Submit(std::move(request)).ok());
  }
  requests_per_second_ = 1;
  Restart();
  polls_of_previews_ = 0;
  clock_.Advance(PollCurve{}.first * 6);
  EXPECT_GE(polls_of_previews_, 1);
}

// What came of a render is known, and the store cannot take it: it is kept, and written once the
// store can.
TEST_F(WaitingJobsTest, WhatCameOfItIsStoredLaterIfTheStoreIsBusy) {
  struct Case {
    const char* what;
    const char* preview;  // Pictory's id
    std::optional<http::Response> answer;
    v1::JobState state;
  };
  const Case cases[] = {
      {"accepted", "p1", Reply(200, R"({"success":true,"data":{"jobId":"v1"}})"),
       v1::JOB_STATE_RUNNING},
      {"unknown", "p2", Reply(503, "busy"), v1::JOB_STATE_UNCONFIRMED},
      {"refused", "p3", Reply(402, R"({"code":"INSUFFICIENT_CREDITS"})"), v1::JOB_STATE_FAILED}};
  for (const Case& c : cases) {
    preview_ = kGoesOn;
    made_ = c.preview;
    const auto preview = Submit(Preview(c.preview));
    ASSERT_TRUE(preview.ok()) << preview.status();
    preview_id_ = std::string((*preview)->job_id());
    const v1::Job held = Hold(c.what);
    render_ = c.answer;
    busy_after_render_ = 3;
    preview_ = kPreviewDone;
    while (renders_ == 0) clock_.Advance(1s);
    EXPECT_EQ(Stored(c.what).submission, SubmissionState::kSending) << c.what;
    EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_WAITING) << c.what;
    clock_.Advance(30s);
    EXPECT_EQ(Get(held.job_id()).state(), c.state) << c.what;
    EXPECT_EQ(core_->waiting.waiting(), 0U) << c.what;
    EXPECT_EQ(std::exchange(renders_, 0), 1) << c.what;
  }
}

TEST_F(WaitingJobsTest, OneThatWasNotSentWaitsOnAfterTheStoreWasBusy) {
  MakePreview();
  const v1::Job held = Hold();
  render_ = test::NotSent();
  busy_after_render_ = 3;
  preview_ = kPreviewDone;
  while (renders_ == 0) clock_.Advance(1s);
  render_ = Reply(200, R"({"success":true,"data":{"jobId":"v1"}})");
  clock_.Advance(2s);
  EXPECT_EQ(renders_, 1) << "nothing is sent before it is stored that nothing was";
  clock_.Advance(1min);
  EXPECT_EQ(renders_, 2);
  EXPECT_EQ(Get(held.job_id()).pictory_job_id(), "v1");
  EXPECT_EQ(core_->spending.spent_today("default").submits, 2U);
}

TEST_F(WaitingJobsTest, AnEndWithItsPreviewIsStoredLaterIfTheStoreIsBusy) {
  MakePreview();
  const v1::Job held = Hold();
  preview_ = kPreviewDone;
  clock_.Advance(1s);
  core_->spending.SetStopped(true);
  clock_.Advance(1min);
  ASSERT_THAT(Get(held.job_id()).message(), HasSubstr("SUBMITS_STOPPED"));
  transport_.AnswerAllWith(Reply(200, R"({"success":true})"));
  ASSERT_TRUE(Delete(preview_id_).ok());
  store_.busy_for = 3;
  clock_.Advance(10min);
  EXPECT_EQ(Get(held.job_id()).error().code(), "REFERENCED_JOB_DELETED");
  EXPECT_EQ(core_->waiting.waiting(), 0U);
}

TEST_F(WaitingJobsTest, AnEndInOrderDoesNotWaitForAStoreThatStaysBusy) {
  MakePreview();
  const v1::Job held = Hold();
  busy_after_render_ = 1'000'000;
  preview_ = kPreviewDone;
  while (renders_ == 0) clock_.Advance(1s);
  clock_.Advance(1min);
  bool idle = false;
  core_->submitter.Drain([&] { idle = true; });
  EXPECT_FALSE(idle);
  clock_.Advance(limits::kLateWritesAtEnd * limits::kLateWriteAtEnd);
  EXPECT_TRUE(idle);
  store_.busy_for = 0;
  Restart();
  clock_.Advance(1h);
  EXPECT_EQ(Get(held.job_id()).state(), v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(renders_, 1);
}

TEST_F(WaitingJobsTest, AnEndInOrderStoresWhatItCan) {
  MakePreview();
  const v1::Job held = Hold();
  busy_after_render_ = 1;
  preview_ = kPreviewDone;
  while (renders_ == 0) clock_.Advance(100ms);
  ASSERT_EQ(Stored().submission, SubmissionState::kSending);
  core_->submitter.Drain([] {});
  EXPECT_EQ(Stored().job.pictory_job_id, "v1");
}

}  // namespace
}  // namespace gateway::jobs
