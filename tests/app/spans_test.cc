#include "app/spans.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace gateway::app {
namespace {

using jobs::JobRecord;
namespace v1 = jobs::v1;

WallTime At(int seconds) { return WallTime(std::chrono::seconds(1'700'000'000 + seconds)); }

std::map<std::string, std::string> AttributesOf(const obs::Span& span) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : span.attributes) {
    const auto* const text = std::get_if<std::string>(&value);
    texts.emplace(key, text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value)));
  }
  return texts;
}

class SpansTest : public ::testing::Test {
 protected:
  SpansTest() {
    const TraceContext caller{
        .trace_id = std::string(32, 'a'), .span_id = std::string(16, 'b'), .sampled = true};
    call_ = ChildOf(caller, random_);
  }
  JobRecord Record(v1::JobState state, int updated) const {
    JobRecord record;
    record.job.job_id = "j1";
    record.job.kind = v1::JOB_KIND_RENDER;
    record.job.state = state;
    record.job.trace = StoredTrace(call_);
    record.job.update_time = At(updated);
    record.sent_at = At(1);
    return record;
  }

  Random random_{1};
  TraceContext call_;
  std::vector<obs::Span> ended_;
  PhaseSpans phases_{random_, [this](obs::Span span) { ended_.push_back(std::move(span)); }};
};

TEST_F(SpansTest, ACallIsAPartOfItsCallersSpan) {
  const absl::Status status = absl::UnavailableError("the words of this are nobody's business");
  const auto span = SpanOfCall(
      {.method = "Render", .status = status, .took = std::chrono::seconds(3), .trace = &call_},
      At(9));
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->context, call_);
  EXPECT_EQ(span->context.parent_span_id, std::string(16, 'b'));
  EXPECT_EQ(span->name, "pictory.jobs.v1.PictoryJobs/Render");
  EXPECT_EQ(span->kind, obs::Span::Kind::kServer);
  EXPECT_EQ(span->begin, At(6));
  EXPECT_EQ(span->end, At(9));
  EXPECT_TRUE(span->failed);
  EXPECT_EQ(AttributesOf(*span),
            (std::map<std::string, std::string>{{"rpc.system", "grpc"},
                                                {"rpc.service", "pictory.jobs.v1.PictoryJobs"},
                                                {"rpc.method", "Render"},
                                                {"rpc.grpc.status_code", "14"}}));
}

TEST_F(SpansTest, OfACallersMistakeItIsNotTheServersFault) {
  const absl::Status status = absl::InvalidArgumentError("");
  const auto span = SpanOfCall({.method = "Render", .status = status, .trace = &call_}, At(9));
  ASSERT_TRUE(span.has_value());
  EXPECT_FALSE(span->failed);
}

TEST_F(SpansTest, WhatIsNotSampledHasNone) {
  const absl::Status ok;
  call_.sampled = false;
  EXPECT_FALSE(SpanOfCall({.method = "Render", .status = ok, .trace = &call_}, At(9)));
  EXPECT_FALSE(SpanOfSubmission(Record(v1::JOB_STATE_UNSPECIFIED, 2), "accepted", At(2), random_));
  phases_.OnChange(Record(v1::JOB_STATE_QUEUED, 2));
  phases_.OnChange(Record(v1::JOB_STATE_SUCCEEDED, 3));
  EXPECT_TRUE(ended_.empty());
}

TEST_F(SpansTest, ACallerSpanIsNotOurs) {
  const absl::Status ok;
  const TraceContext sent{.trace_id = std::string(32, 'a'), .span_id = "b", .sampled = true};
  EXPECT_FALSE(SpanOfCall({.method = "Render", .status = ok, .trace = &sent}, At(9)));
  EXPECT_FALSE(SpanOfCall({.method = "Render", .status = ok}, At(9)));
}

TEST_F(SpansTest, ASubmissionIsAPartOfItsCall) {
  const auto span =
      SpanOfSubmission(Record(v1::JOB_STATE_UNSPECIFIED, 1), "accepted", At(4), random_);
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->context.trace_id, call_.trace_id);
  EXPECT_EQ(span->context.parent_span_id, call_.span_id);
  EXPECT_EQ(span->name, "submit RENDER");
  EXPECT_EQ(span->kind, obs::Span::Kind::kClient);
  EXPECT_EQ(span->begin, At(1));
  EXPECT_EQ(span->end, At(4));
  EXPECT_FALSE(span->failed);
  EXPECT_TRUE(span->links.empty());
}

TEST_F(SpansTest, TheSubmissionOfAJobThatHasWaitedIsLinked) {
  const auto span = SpanOfSubmission(Record(v1::JOB_STATE_WAITING, 1), "unknown", At(4), random_);
  ASSERT_TRUE(span.has_value());
  EXPECT_NE(span->context.trace_id, call_.trace_id);
  EXPECT_EQ(span->context.parent_span_id, "");
  ASSERT_EQ(span->links.size(), 1);
  EXPECT_EQ(span->links[0].span_id, call_.span_id);
  EXPECT_TRUE(span->failed);
}

TEST_F(SpansTest, EachPhaseOfAJobIsLinkedToItsCall) {
  phases_.OnChange(Record(v1::JOB_STATE_QUEUED, 2));
  EXPECT_TRUE(ended_.empty()) << "it is not over";
  phases_.OnChange(Record(v1::JOB_STATE_RUNNING, 10));
  phases_.OnChange(Record(v1::JOB_STATE_RUNNING, 20));  // progress
  phases_.OnChange(Record(v1::JOB_STATE_SUCCEEDED, 50));
  phases_.OnChange(Record(v1::JOB_STATE_SUCCEEDED, 60));
  ASSERT_EQ(ended_.size(), 2);
  EXPECT_EQ(ended_[0].name, "job QUEUED");
  EXPECT_EQ(ended_[0].begin, At(2));
  EXPECT_EQ(ended_[0].end, At(10));
  EXPECT_EQ(ended_[1].name, "job RUNNING");
  EXPECT_EQ(ended_[1].begin, At(10));
  EXPECT_EQ(ended_[1].end, At(50));
  EXPECT_EQ(AttributesOf(ended_[1]),
            (std::map<std::string, std::string>{{"pictory.job_id", "j1"},
                                                {"pictory.kind", "RENDER"},
                                                {"pictory.state", "RUNNING"},
                                                {"pictory.next_state", "SUCCEEDED"}}));
  for (const obs::Span& span : ended_) {
    EXPECT_NE(span.context.trace_id, call_.trace_id);
    EXPECT_EQ(span.context.parent_span_id, "");
    EXPECT_FALSE(span.failed);
    ASSERT_EQ(span.links.size(), 1);
    EXPECT_EQ(span.links[0].trace_id, call_.trace_id);
    EXPECT_EQ(span.links[0].span_id, call_.span_id);
  }
}

TEST_F(SpansTest, APhaseThatEndsBadlyHasFailed) {
  phases_.OnChange(Record(v1::JOB_STATE_UNCONFIRMED, 2));
  phases_.OnChange(Record(v1::JOB_STATE_FAILED, 3));
  ASSERT_EQ(ended_.size(), 1);
  EXPECT_EQ(ended_[0].name, "job UNCONFIRMED");
  EXPECT_TRUE(ended_[0].failed);
}

TEST_F(SpansTest, AJobWithoutATraceHasNoPhases) {
  call_ = {};
  phases_.OnChange(Record(v1::JOB_STATE_QUEUED, 2));
  phases_.OnChange(Record(v1::JOB_STATE_SUCCEEDED, 3));
  EXPECT_TRUE(ended_.empty());
}

}  // namespace
}  // namespace gateway::app
