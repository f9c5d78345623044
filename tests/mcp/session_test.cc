#include "mcp/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/limits.h"
#include "pictory/credits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "support/fake_clock.h"

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
  const test::FakeClock clock;
  const Session session("a", {}, clock);
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
  const test::FakeClock clock;
  const Session session("a", {}, clock);
  const std::string id = session.RequestIdOf("render", Render("p"));
  EXPECT_NE(id, session.RequestIdOf("render", Render("q")));
  EXPECT_NE(id, session.RequestIdOf("other", Render("p")));
  EXPECT_NE(id, Session("b", {}, clock).RequestIdOf("render", Render("p")));
  EXPECT_EQ(id, Session("a", {}, clock).RequestIdOf("render", Render("p")));
}

TEST(Spending, AsksAboveTheCapAndWhereNobodyKnows) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  EXPECT_EQ(session.Take("1", "c", 6, false), Standing::kNew);
  EXPECT_EQ(session.Take("2", "c", 6, false), Standing::kAsk);
  EXPECT_EQ(session.Take("3", "c", std::nullopt, false), Standing::kAsk);
  EXPECT_EQ(session.Take("4", "c", 4, false), Standing::kNew);
  EXPECT_EQ(session.spent(), 10);
  EXPECT_EQ(session.Take("2", "c", 6, true), Standing::kNew);
  EXPECT_EQ(session.spent(), 16);
  EXPECT_EQ(session.Take("5", "c", 0, false), Standing::kAsk);  // it is above the cap already
}

TEST(Spending, AsksAlwaysIfItIsToldTo) {
  const test::FakeClock clock;
  const SpendingRules always{.cap = 10, .always_ask = true};
  EXPECT_EQ(Session("a", {}, clock).Take("1", "c", 0, false), Standing::kAsk);
  EXPECT_EQ(Session("a", always, clock).Take("1", "c", 0, false), Standing::kAsk);
  EXPECT_EQ(Session("a", always, clock).Take("1", "c", 1, true), Standing::kNew);
}

TEST(Spending, ARepetitionIsFree) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  ASSERT_EQ(session.Take("1", "c", 6, false), Standing::kNew);
  session.Accepted("1", "c", "job", 6);
  EXPECT_EQ(session.Take("1", "c", std::nullopt, false), Standing::kAgain);
  EXPECT_EQ(session.JobOf("1"), "job");
  EXPECT_EQ(session.spent(), 6);
}

// Else what may have been sent would open the cap for whatever has its request_id.
TEST(Spending, AnotherContentIsNoRepetition) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  ASSERT_EQ(session.Take("1", "a picture", 6, false), Standing::kNew);
  EXPECT_EQ(session.Look("1", "a picture"), Standing::kAgain);
  EXPECT_EQ(session.Look("1", "a film"), Standing::kOther);
  EXPECT_EQ(session.Take("1", "a film", 160, true), Standing::kOther);
  EXPECT_EQ(session.spent(), 6);
  session.NotSent("1");
  EXPECT_EQ(session.Take("1", "a film", 4, false), Standing::kNew);
}

// The gateway pays for it anew then.
TEST(Spending, ARepetitionIsFreeForAsLongAsTheGatewayRemembers) {
  for (const bool slept : {false, true}) {
    test::FakeClock clock;
    Session session("a", {.cap = 10}, clock);
    const auto pass = [&](Duration time) { slept ? clock.JumpWall(time) : clock.Advance(time); };
    ASSERT_EQ(session.Take("1", "c", 6, false), Standing::kNew);
    session.Accepted("1", "c", "job", 6);
    pass(limits::kRequestIdKept - std::chrono::seconds(1));
    EXPECT_EQ(session.Take("1", "c", 6, false), Standing::kAgain);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(session.Look("1", "c"), Standing::kNew);
    EXPECT_EQ(session.Take("1", "c", 6, false), Standing::kAsk);
    EXPECT_EQ(session.JobOf("1"), "");
    EXPECT_EQ(session.spent(), 6) << "it was paid for all the same";
  }
}

TEST(Spending, WhatNobodyKnowsCountsAsAGuessUntilItIsTold) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  ASSERT_EQ(session.Take("1", "c", std::nullopt, true), Standing::kNew);
  EXPECT_EQ(session.spent(), pictory::kUnknownCredits);
  session.Accepted("1", "c", "job", std::nullopt);
  session.Used("job", 3);
  EXPECT_EQ(session.spent(), 3);
}

TEST(Spending, WhatWasNotSentDoesNotCount) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  ASSERT_EQ(session.Take("1", "c", 6, false), Standing::kNew);
  session.NotSent("1");
  EXPECT_EQ(session.spent(), 0);
  EXPECT_EQ(session.Look("1", "c"), Standing::kNew);
  session.Accepted("1", "c", "job", 6);  // of a second call of the same at the same time
  EXPECT_EQ(session.spent(), 6);
  session.NotSent("1");
  EXPECT_EQ(session.spent(), 6);
}

TEST(Spending, WhatPictorySaysCountsInPlaceOfAnEstimate) {
  const test::FakeClock clock;
  Session session("a", {.cap = 10}, clock);
  ASSERT_EQ(session.Take("1", "c", 6, false), Standing::kNew);
  session.Accepted("1", "c", "job", 6);
  session.Used("job", 2);
  session.Used("job", 2);
  session.Used("of another", 100);
  EXPECT_EQ(session.spent(), 2);
}

TEST(Questions, AreAnsweredOnce) {
  const test::FakeClock clock;
  Session session("a", {}, clock);
  const std::string name = session.Ask({.request_id = "1"}).name;
  EXPECT_FALSE(session.Answer("other").has_value());
  ASSERT_TRUE(session.Answer(name).has_value());
  EXPECT_FALSE(session.Answer(name).has_value());
}

TEST(Questions, TheOldestIsForgotten) {
  const test::FakeClock clock;
  Session session("a", {}, clock);
  const std::string first = session.Ask({.request_id = "1"}).name;
  Session::Asked last;
  for (std::size_t i = 0; i < limits::kMcpQuestionsMax; ++i) {
    EXPECT_FALSE(last.forgotten.has_value());
    last = session.Ask({});
  }
  ASSERT_TRUE(last.forgotten.has_value());
  EXPECT_EQ(last.forgotten->request_id, "1");
  EXPECT_FALSE(session.Answer(first).has_value());
  EXPECT_TRUE(session.Answer(last.name).has_value());
}

}  // namespace
}  // namespace gateway::mcp
