#include "mcp/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/limits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::mcp {
namespace {

namespace v1 = ::pictory::jobs::v1;
using Standing = Session::Standing;

v1::RenderRequest Render(const std::string& preview) {
  v1::RenderRequest request;
  request.set_preview_job_id(preview);
  return request;
}

TEST(RequestIds, AreTheSameForTheSameCall) {
  const Session session("a", {});
  v1::RenderRequest request = Render("p");
  (*request.mutable_labels())["x"] = "1";
  (*request.mutable_labels())["y"] = "2";
  v1::RenderRequest same = Render("p");
  (*same.mutable_labels())["y"] = "2";
  (*same.mutable_labels())["x"] = "1";
  same.set_wait_for_preview(true);
  const std::string id = session.RequestIdOf("render", request);
  EXPECT_EQ(id, session.RequestIdOf("render", same));
  EXPECT_TRUE(IsRequestId(id)) << id;
}

TEST(RequestIds, DifferByCallToolAndSession) {
  const Session session("a", {});
  const std::string id = session.RequestIdOf("render", Render("p"));
  EXPECT_NE(id, session.RequestIdOf("render", Render("q")));
  EXPECT_NE(id, session.RequestIdOf("other", Render("p")));
  EXPECT_NE(id, Session("b", {}).RequestIdOf("render", Render("p")));
  EXPECT_EQ(id, Session("a", {}).RequestIdOf("render", Render("p")));
}

TEST(Spending, AsksAboveTheCapAndWhereNobodyKnows) {
  Session session("a", {.cap = 10});
  EXPECT_EQ(session.Take("1", 6, false), Standing::kNew);
  EXPECT_EQ(session.Take("2", 6, false), Standing::kAsk);
  EXPECT_EQ(session.Take("3", std::nullopt, false), Standing::kAsk);
  EXPECT_EQ(session.Take("4", 4, false), Standing::kNew);
  EXPECT_EQ(session.spent(), 10);
  EXPECT_EQ(session.Take("2", 6, true), Standing::kNew);
  EXPECT_EQ(session.spent(), 16);
  EXPECT_EQ(session.Take("5", 0, false), Standing::kAsk);  // it is above the cap already
}

TEST(Spending, AsksAlwaysIfItIsToldTo) {
  EXPECT_EQ(Session("a", {}).Take("1", 0, false), Standing::kAsk);
  EXPECT_EQ(Session("a", {.cap = 10, .always_ask = true}).Take("1", 0, false), Standing::kAsk);
  EXPECT_EQ(Session("a", {.cap = 10, .always_ask = true}).Take("1", 1, true), Standing::kNew);
}

TEST(Spending, ARepetitionIsFree) {
  Session session("a", {.cap = 10});
  ASSERT_EQ(session.Take("1", 6, false), Standing::kNew);
  session.Accepted("1", "job", 6);
  EXPECT_EQ(session.Take("1", std::nullopt, false), Standing::kAgain);
  EXPECT_EQ(session.JobOf("1"), "job");
  EXPECT_EQ(session.spent(), 6);
}

TEST(Spending, WhatWasNotSentDoesNotCount) {
  Session session("a", {.cap = 10});
  ASSERT_EQ(session.Take("1", 6, false), Standing::kNew);
  session.NotSent("1");
  EXPECT_EQ(session.spent(), 0);
  EXPECT_FALSE(session.Knows("1"));
  session.Accepted("1", "job", 6);  // of a second call of the same at the same time
  EXPECT_EQ(session.spent(), 6);
  session.NotSent("1");
  EXPECT_EQ(session.spent(), 6);
}

TEST(Spending, WhatPictorySaysCountsInPlaceOfAnEstimate) {
  Session session("a", {.cap = 10});
  ASSERT_EQ(session.Take("1", 6, false), Standing::kNew);
  session.Accepted("1", "job", 6);
  session.Used("job", 2);
  session.Used("job", 2);
  session.Used("of another", 100);
  EXPECT_EQ(session.spent(), 2);
}

TEST(Questions, AreAnsweredOnce) {
  Session session("a", {});
  const std::string name = session.Ask({.request_id = "1"});
  EXPECT_FALSE(session.Answer("other").has_value());
  ASSERT_TRUE(session.Answer(name).has_value());
  EXPECT_FALSE(session.Answer(name).has_value());
}

TEST(Questions, TheOldestIsForgotten) {
  Session session("a", {});
  const std::string first = session.Ask({.request_id = "1"});
  std::string last;
  for (std::size_t i = 0; i < limits::kMcpQuestionsMax; ++i) last = session.Ask({});
  EXPECT_FALSE(session.Answer(first).has_value());
  EXPECT_TRUE(session.Answer(last).has_value());
}

}  // namespace
}  // namespace gateway::mcp
