#include "jobs/fresh_links.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "support/records.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

class FreshLinksTest : public testing::Test {
 protected:
  FreshLinks Ask(BudgetOptions budget = {.requests_per_second = 1000, .burst = 1000}) {
    const auto upstreams = MakeUpstreams(budget, transport_, clock_);
    std::vector<Upstream::Turn> taken;  // one that is dropped unused is given back
    while (spent_) {
      std::optional<Upstream::Turn> turn = upstreams->Of(kDefaultAccount)->TryTake(Purpose::kPoll);
      if (!turn.has_value()) break;
      taken.push_back(*std::move(turn));
    }
    std::optional<FreshLinks> links;
    JobRecord record = test::RecordOf(SubmissionState::kAccepted);
    record.job.account = kDefaultAccount;
    AskForLinks(*upstreams, record.job, [&](FreshLinks given) { links = std::move(given); });
    EXPECT_TRUE(links.has_value());
    return links.value_or(FreshLinks{});
  }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  bool spent_ = false;  // the budget
};

TEST_F(FreshLinksTest, AreThoseThatPictoryTellsNow) {
  transport_.AnswerAllWith(test::Reply(
      200,
      R"({"success":true,"data":{"status":"completed","videoURL":"https://d1.cloudfront.net/v.mp4?new"}})"));
  const FreshLinks links = Ask();
  EXPECT_TRUE(links.asked);
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(links.result_wire));
  EXPECT_EQ(job.render().video_url(), "https://d1.cloudfront.net/v.mp4?new");
  ASSERT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(transport_.requests()[0].path, "/v1/jobs/p-j1");
}

TEST_F(FreshLinksTest, WherePictoryHasNoneThereAreNone) {
  for (const auto& reply : {test::Reply(404, R"({"code":"JOB_NOT_FOUND"})"),
                            test::Reply(200, R"({"success":true,"data":{"status":"cleaned"}})")}) {
    transport_.AnswerAllWith(reply);
    const FreshLinks links = Ask();
    EXPECT_TRUE(links.asked) << reply.body;
    EXPECT_EQ(links.result_wire, "");
  }
}

// Else one bad moment of Pictory's would lose the file.
TEST_F(FreshLinksTest, AnAnswerThatSaysNothingOfTheJobDoesNotCount) {
  for (const auto& reply : {test::Reply(503, "x"), test::Reply(401, "{}"), test::Reply(429, "{}"),
                            test::Reply(200, "<html>"), test::Cut()}) {
    transport_.AnswerAllWith(reply);
    const FreshLinks links = Ask();
    EXPECT_FALSE(links.asked) << reply.status;
    EXPECT_EQ(links.result_wire, "");
  }
}

TEST_F(FreshLinksTest, ALargeAnswerIsReadToo) {
  const std::string padding(2 * 1024 * 1024, 'x');
  transport_.AnswerAllWith(test::Reply(
      200,
      R"({"success":true,"data":{"status":"completed","videoURL":"https://d1.x/v.mp4","pad":")" +
          padding + R"("}})"));
  const FreshLinks links = Ask();
  EXPECT_TRUE(links.asked);
  EXPECT_NE(links.result_wire, "");
}

TEST_F(FreshLinksTest, AreNotAskedForBeyondTheBudget) {
  spent_ = true;
  const FreshLinks links = Ask({.requests_per_second = 1, .burst = 2});
  EXPECT_FALSE(links.asked);
  EXPECT_TRUE(transport_.requests().empty());
}

}  // namespace
}  // namespace gateway::jobs
