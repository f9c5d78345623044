#include "jobs/preview_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using test::Reply;
using ::testing::HasSubstr;
using ::testing::Not;

class PreviewEditorTest : public ::testing::Test {
 protected:
  absl::Status Update(JobState state = v1::JOB_STATE_SUCCEEDED,
                      JobKind kind = v1::JOB_KIND_PREVIEW) {
    Job job;
    job.tenant = "default";
    job.job_id = "j1";
    job.pictory_job_id = "p/1";
    job.kind = kind;
    job.state = state;
    absl::Status told = absl::InternalError("no answer");
    editor_.Update(MakeSnapshot(job), request_, cancelled_,
                   [&](const absl::Status& status) { told = status; });
    return told;
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  std::unique_ptr<Upstreams> upstreams_ =
      MakeUpstreams({.requests_per_second = 1000, .burst = 1000}, transport_, clock_);
  AccountDesk desk_{*upstreams_, clock_};
  PreviewEditor editor_{desk_};
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<v1::UpdatePreviewRequest> request_ = [] {
    auto request = std::make_shared<v1::UpdatePreviewRequest>();
    request->set_elements_json("[ {\"id\":\"bgMusic\"} ]");
    return request;
  }();
};

TEST_F(PreviewEditorTest, PutsTheElementsToThePreview) {
  transport_.AnswerAllWith(Reply(204, ""));
  EXPECT_TRUE(Update().ok());
  ASSERT_EQ(transport_.requests().size(), 1U);
  const http::Request& sent = transport_.requests()[0];
  EXPECT_EQ(sent.method, "PUT");
  EXPECT_EQ(sent.path, "/v2/video/storyboard/p%2F1/elements");
  EXPECT_EQ(sent.lane, http::Lane::kRead);
  EXPECT_EQ(*sent.body, request_->elements_json());
  EXPECT_EQ(test::HeaderOf(sent, "Content-Type"), "application/json");
  EXPECT_EQ(test::HeaderOf(sent, "Authorization"), "pictai_k");
}

TEST_F(PreviewEditorTest, OnlyAPreviewThatHasSucceededCanBeChanged) {
  for (const JobState state :
       {v1::JOB_STATE_UNCONFIRMED, v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING}) {
    const absl::Status early = Update(state);
    EXPECT_EQ(early.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(errors::Reason(early), "JOB_NOT_FINISHED") << state;
  }
  for (const JobState state : {v1::JOB_STATE_FAILED, v1::JOB_STATE_EXPIRED, v1::JOB_STATE_CLEANED,
                               v1::JOB_STATE_OUTCOME_UNKNOWN}) {
    EXPECT_EQ(errors::Reason(Update(state)), "JOB_NOT_USABLE") << state;
  }
  EXPECT_EQ(errors::Reason(Update(v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_RENDER)), "JOB_NOT_USABLE");
  EXPECT_EQ(errors::Reason(Update(v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_UNSPECIFIED)),
            "JOB_NOT_USABLE");
  EXPECT_EQ(errors::Reason(Update(v1::JOB_STATE_RUNNING, v1::JOB_KIND_UNSPECIFIED)),
            "JOB_NOT_FINISHED")
      << "its result may still show that it is one";
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(PreviewEditorTest, WhatNobodyWantsAnyMoreIsNotSent) {
  transport_.AnswerAllWith(Reply(204, ""));
  cancelled_->store(true);
  EXPECT_TRUE(absl::IsCancelled(Update()));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(PreviewEditorTest, WhatPictorySaysIsToldWithoutAWordOfSubmits) {
  const std::tuple<http::Response, absl::StatusCode, std::string> kCases[] = {
      {Reply(400, R"({"code":"INVALID_REQUEST_BODY","message":"no",)"
                  R"("fields":[{"name":"[0].id","errors":"names none"}]})"),
       absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID"},
      {Reply(200, R"({"success":false,"data":{"error_message":"no"}})"),
       absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED"},
      {Reply(404, R"({"data":{"error_code":"5000","error_message":"JOB_NOT_FOUND"}})"),
       absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND"},
      {Reply(403, R"({"message":"not yours"})"), absl::StatusCode::kPermissionDenied,
       "UPSTREAM_FORBIDDEN"},
      {Reply(408, "{}"), absl::StatusCode::kUnavailable, "UPSTREAM_UNREACHABLE"},
      {Reply(409, "{}"), absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED"},
      {Reply(401, R"({"message":"Unauthorized"})"), absl::StatusCode::kFailedPrecondition,
       "UPSTREAM_CREDENTIALS"},
      {Reply(503, "<html>"), absl::StatusCode::kUnavailable, "UPSTREAM_UNREACHABLE"},
      {test::Cut(), absl::StatusCode::kUnavailable, "UPSTREAM_UNREACHABLE"},
      {test::NotSent(), absl::StatusCode::kUnavailable, "UPSTREAM_UNREACHABLE"},
      {Reply(429, "", {{"retry-after", "7"}}), absl::StatusCode::kResourceExhausted,
       "UPSTREAM_RATE_LIMITED"}};
  for (const auto& [response, code, reason] : kCases) {
    transport_.AnswerAllWith(response);
    const absl::Status told = Update();
    EXPECT_EQ(told.code(), code) << told;
    EXPECT_EQ(errors::Reason(told), reason) << told;
    EXPECT_THAT(std::string(told.message()), Not(HasSubstr("submitted")));
    if (response.status == 400) {
      EXPECT_EQ(errors::Violations(told).front().field, "[0].id");
    }
  }
}

TEST_F(PreviewEditorTest, AnErrorThatQuotesTheKeyIsTakenCareOf) {
  transport_.AnswerAllWith(
      Reply(400, R"({"message":"bad header Authorization: pictai_k0123456789abcdef"})"));
  upstreams_ = MakeUpstreams({.requests_per_second = 1000, .burst = 1000}, transport_, clock_, {},
                             {.api_key = Secret("pictai_k0123456789abcdef"), .user_agent = "t"});
  AccountDesk desk(*upstreams_, clock_);
  PreviewEditor editor(desk);
  Job job;
  job.kind = v1::JOB_KIND_PREVIEW;
  job.state = v1::JOB_STATE_SUCCEEDED;
  job.pictory_job_id = "p";
  absl::Status told;
  editor.Update(MakeSnapshot(job), request_, nullptr,
                [&](const absl::Status& status) { told = status; });
  EXPECT_TRUE(absl::IsInvalidArgument(told)) << told;
  EXPECT_THAT(std::string(told.message()), Not(HasSubstr("0123456789")));
}

}  // namespace
}  // namespace gateway::jobs
