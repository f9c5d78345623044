// Which lines of a file are submitted again.
#include "again.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "batch_before.h"

namespace pictory_jobs::cli {
namespace {

struct Made {
  const char* job_id;
  const char* request_id;
  JobState state;
};

std::vector<Job> Jobs(const std::vector<Made>& made) {
  std::vector<Job> jobs;
  for (const Made& one : made) {
    jobs.emplace_back().set_job_id(one.job_id);
    jobs.back().set_request_id(one.request_id);
    jobs.back().set_state(one.state);
    jobs.back().set_kind(v1::JOB_KIND_IMAGE);
  }
  return jobs;
}

std::vector<BatchLine> LinesOf(const std::vector<std::string>& ids) {
  std::vector<BatchLine> lines;
  for (const std::string& id : ids) {
    BatchLine line{.number = static_cast<int>(lines.size()) + 1};
    line.request_id = id;
    lines.push_back(std::move(line));
  }
  return lines;
}

bool HasFailed(const Job& job) { return job.state() == v1::JOB_STATE_FAILED; }

struct AgainCase {
  const char* what;
  std::vector<std::string> lines;
  std::vector<Made> jobs;
  std::string again;         // `line:job`…
  std::string without_line;  // jobs
};

TEST(Again, OfEachLineOnlyTheNewestJobCounts) {
  constexpr auto kFailed = v1::JOB_STATE_FAILED;
  constexpr auto kMade = v1::JOB_STATE_SUCCEEDED;
  constexpr auto kRunning = v1::JOB_STATE_RUNNING;
  const AgainCase cases[] = {
      {"nothing was submitted", {"a"}, {}, "", ""},
      {"nothing has failed", {"a", "b"}, {{"1", "a", kMade}, {"2", "b", kRunning}}, "", ""},
      {"one has failed", {"a", "b"}, {{"1", "a", kMade}, {"2", "b", kFailed}}, "1:2 ", ""},
      {"its second try is at work",
       {"a"},
       {{"1", "a", kFailed}, {"2", "again-1", kRunning}},
       "",
       ""},
      {"its second try has failed",
       {"a"},
       {{"2", "again-1", kFailed}, {"1", "a", kFailed}},
       "0:2 ",
       ""},
      {"its third try has succeeded",
       {"a"},
       {{"1", "a", kFailed}, {"2", "again-1", kFailed}, {"3", "again-2", kMade}},
       "",
       ""},
      {"its line is gone", {"b"}, {{"1", "a", kFailed}}, "", "1 "},
      {"its line is gone, and the second try has failed",
       {"b"},
       {{"1", "a", kFailed}, {"2", "again-1", kFailed}},
       "",
       "2 "},
      {"the first job was deleted", {"a"}, {{"2", "again-1", kFailed}}, "", "2 "},
  };
  for (const AgainCase& one : cases) {
    const std::vector<Job> jobs = Jobs(one.jobs);
    const AgainPlan plan = PlanAgain(LinesOf(one.lines), jobs, HasFailed);
    std::string again, without_line;
    for (const AgainPlan::One& each : plan.again) {
      again += std::to_string(each.line) + ":" + each.failed->job_id() + " ";
    }
    for (const Job* job : plan.without_line) without_line += job->job_id() + " ";
    EXPECT_EQ(again, one.again) << one.what;
    EXPECT_EQ(without_line, one.without_line) << one.what;
  }
}

TEST(Again, CostsWhatOthersOfTheKindDid) {
  std::vector<Job> jobs = Jobs({{"1", "a", v1::JOB_STATE_FAILED},
                                {"2", "b", v1::JOB_STATE_FAILED},
                                {"3", "c", v1::JOB_STATE_SUCCEEDED},
                                {"4", "d", v1::JOB_STATE_SUCCEEDED},
                                {"5", "e", v1::JOB_STATE_SUCCEEDED}});
  const std::vector<BatchLine> lines = LinesOf({"a", "b"});
  EXPECT_EQ(CostOf(PlanAgain(lines, jobs, HasFailed), jobs).known, 0u);
  jobs[2].set_credits_used(2);
  jobs[3].set_credits_used(5);
  jobs[0].set_credits_used(100);  // what a failed one used says nothing
  jobs[1].set_kind(v1::JOB_KIND_VIDEO);
  const AgainCost cost = CostOf(PlanAgain(lines, jobs, HasFailed), jobs);
  EXPECT_EQ(cost.known, 1u);
  EXPECT_EQ(cost.credits, 3.5);
}

TEST(Again, AJobMoreOfALineIsNoLineThatIsGone) {
  const std::vector<Job> jobs =
      Jobs({{"1", "a", v1::JOB_STATE_FAILED}, {"2", "again-1", v1::JOB_STATE_SUCCEEDED}});
  EXPECT_EQ(WhatChanged("f", LinesOf({"a", "new"}), jobs), std::nullopt);
}

}  // namespace
}  // namespace pictory_jobs::cli
