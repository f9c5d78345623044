#include "jobs/label_use.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "jobs/spending.h"

namespace gateway::jobs {
namespace {

JobRecord Sent(const std::string& team, double reserved, std::optional<double> used = {}) {
  JobRecord record;
  record.job.state = used.has_value() ? v1::JOB_STATE_SUCCEEDED : v1::JOB_STATE_RUNNING;
  record.job.labels = {{"team", team}, {"other", "x"}};
  record.job.credits_used = used;
  record.submission = SubmissionState::kAccepted;
  record.sent_at = WallTime(std::chrono::seconds(1));
  record.credits_reserved = reserved;
  return record;
}

TEST(LabelUseTest, SumsByValueTheMostFirst) {
  LabelUse use("team");
  use.Add(Sent("news", 2));
  use.Add(Sent("sport", 4, 3));
  use.Add(Sent("news", 9, 0.5));
  JobRecord none = Sent("", 1);
  none.job.labels.erase("team");
  use.Add(none);
  use.Add(Sent("", 0.25));
  EXPECT_EQ(use.values(), (std::vector<LabelUse::Value>{{"sport", {.jobs = 1, .credits = 3}},
                                                        {"news", {.jobs = 2, .credits = 2.5}},
                                                        {std::nullopt, {.jobs = 1, .credits = 1}},
                                                        {"", {.jobs = 1, .credits = 0.25}}}));
  EXPECT_EQ(use.others(), LabelUse::Sum{});
  EXPECT_EQ(use.jobs(), 5);
}

TEST(LabelUseTest, FurtherValuesCountTogether) {
  LabelUse use("team");
  const auto most = static_cast<int>(limits::kUsageValuesMax);
  for (int i = 0; i < most + 3; ++i) use.Add(Sent("t" + std::to_string(i), 2));
  use.Add(Sent("t0", 5));  // one that has its own place keeps it
  EXPECT_EQ(use.values().size(), limits::kUsageValuesMax);
  EXPECT_EQ(use.values().front(), (LabelUse::Value{"t0", {.jobs = 2, .credits = 7}}));
  EXPECT_EQ(use.others(), (LabelUse::Sum{.jobs = 3, .credits = 6}));
  EXPECT_EQ(use.jobs(), most + 4);
}

TEST(LabelUseTest, WhatWasNotSentCostsNothingUnlessItMayYetBe) {
  JobRecord waiting = Sent("news", 4);
  waiting.sent_at = {};
  waiting.job.state = v1::JOB_STATE_WAITING;
  EXPECT_EQ(CreditsOf(waiting), 4);
  waiting.job.state = v1::JOB_STATE_CANCELLED;
  EXPECT_EQ(CreditsOf(waiting), 0);
  waiting.job.credits_used = 2;  // adopted: Pictory has told
  EXPECT_EQ(CreditsOf(waiting), 2);
  JobRecord failed = Sent("news", 4);
  failed.job.state = v1::JOB_STATE_FAILED;
  EXPECT_EQ(CreditsOf(failed), 4) << "nothing is known of it";
}

}  // namespace
}  // namespace gateway::jobs
