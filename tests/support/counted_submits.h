// CountedSubmits is what a store that several processes share has counted of their submits
// (jobs/shared_spending.h), kept by job and added up anew for each question. For the stores of
// tests; a database keeps sums.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/store.h"

namespace gateway::test {

class CountedSubmits {
 public:
  // Whether the submit with this record may begin now, or be sent after it has waited.
  absl::Status MayBe(const jobs::JobRecord& record, const jobs::SubmitLimits& limits,
                     WallTime now) const {
    jobs::SpendingCheck check(now);
    for (const auto& [key, of] : jobs_) {
      if (key == jobs::JobKey{record.job.tenant, record.job.job_id}) continue;
      for (const std::string& whose : {key.tenant, std::string()}) {
        jobs::SpentSums& sums = check.Of(whose);
        if (of.counted.spent) sums.Add(of.at, 1, of.counted.credits);
        sums.active += of.active ? 1 : 0;
        sums.waiting += of.waits ? 1 : 0;
        sums.waiting_credits += of.waits ? of.credits : 0;
      }
    }
    return check.Take(record, limits);
  }

  // The record is stored as it is here.
  void Count(const jobs::JobRecord& record, WallTime now) {
    OfJob& of = jobs_[{record.job.tenant, record.job.job_id}];
    const jobs::CountedSpending counted = jobs::CountedOf(record);
    if (counted.spent && !of.counted.spent) of.at = now;
    of.counted = counted;
    of.waits = record.submission == jobs::SubmissionState::kWaiting;
    of.active = jobs::IsInFlight(record.submission) ||
                (jobs::IsVisible(record) && !jobs::IsFinal(record.job.state));
    of.credits = record.credits_reserved;
  }

  // Another job has taken this one over.
  void Forget(const jobs::JobKey& job) { jobs_.erase(job); }

  // As Sharing::FindSpent tells it.
  std::vector<jobs::SpentTotal> Totals(const std::optional<std::string>& tenant,
                                       WallTime now) const {
    std::map<std::string, jobs::SpentTotal> totals;
    if (tenant.has_value()) totals[*tenant].tenant = *tenant;
    const WallTime first = jobs::kLongWindow.FirstStep(now);
    for (const auto& [key, of] : jobs_) {
      const bool spent = of.counted.spent && of.at >= first;
      if (tenant == key.tenant) totals[key.tenant].active += of.active ? 1 : 0;
      if (!spent && !of.waits) continue;
      for (const std::string& whose : {key.tenant, std::string()}) {
        if (tenant.has_value() && tenant != whose) continue;
        jobs::SpentTotal& total = totals[whose];
        total.tenant = whose;
        total.submits += 1;
        total.credits += spent ? of.counted.credits : of.credits;
        total.reserved += spent ? of.counted.reserved : of.credits;
      }
    }
    std::vector<jobs::SpentTotal> all;
    for (auto& [whose, total] : totals) all.push_back(std::move(total));
    return all;
  }

 private:
  struct OfJob {
    jobs::CountedSpending counted;
    WallTime at{};
    bool waits = false;
    bool active = false;
    double credits = 0;
  };
  std::map<jobs::JobKey, OfJob> jobs_;
};

}  // namespace gateway::test
