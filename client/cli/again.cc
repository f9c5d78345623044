#include "again.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace pictory_jobs::cli {

std::string AgainId(const Job& failed) { return absl::StrCat("again-", failed.job_id()); }

AgainPlan PlanAgain(const std::vector<BatchLine>& lines, const std::vector<Job>& jobs,
                    const std::function<bool(const Job&)>& chosen) {
  std::map<std::string, const Job*> by_request_id;
  for (const Job& job : jobs) by_request_id[job.request_id()] = &job;
  const auto made_by = [&by_request_id](const std::string& request_id) -> const Job* {
    const auto found = by_request_id.find(request_id);
    return found == by_request_id.end() ? nullptr : found->second;
  };
  AgainPlan plan;
  std::set<const Job*> of_lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Job* newest = nullptr;
    for (const Job* job = made_by(lines[i].request_id); job != nullptr;
         job = made_by(AgainId(*job))) {
      newest = job;
      of_lines.insert(job);
    }
    if (newest != nullptr && chosen(*newest)) plan.again.push_back({i, newest});
  }
  for (const Job& job : jobs) {
    if (of_lines.contains(&job) || made_by(AgainId(job)) != nullptr || !chosen(job)) continue;
    plan.without_line.push_back(&job);
  }
  return plan;
}

AgainCost CostOf(const AgainPlan& plan, const std::vector<Job>& jobs) {
  struct Told {
    double credits = 0;
    int jobs = 0;
  };
  std::map<JobKind, Told> told;
  for (const Job& job : jobs) {
    if (job.state() != v1::JOB_STATE_SUCCEEDED || !job.has_credits_used()) continue;
    told[job.kind()].credits += job.credits_used();
    ++told[job.kind()].jobs;
  }
  AgainCost cost;
  for (const AgainPlan::One& one : plan.again) {
    const auto found = told.find(one.failed->kind());
    if (found == told.end()) continue;
    cost.credits += found->second.credits / found->second.jobs;
    ++cost.known;
  }
  return cost;
}

}  // namespace pictory_jobs::cli
