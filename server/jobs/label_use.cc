#include "jobs/label_use.h"

#include <algorithm>

#include "base/limits.h"
#include "jobs/spending.h"

namespace gateway::jobs {

void LabelUse::Add(const JobRecord& record) {
  const auto label = record.job.labels.find(key_);
  std::optional<std::string> value;
  if (label != record.job.labels.end()) value = label->second;
  auto found = by_value_.find(value);
  if (found == by_value_.end() && by_value_.size() < limits::kUsageValuesMax) {
    found = by_value_.emplace(std::move(value), Sum()).first;
  }
  Sum& sum = found == by_value_.end() ? others_ : found->second;
  ++sum.jobs;
  sum.credits += CreditsOf(record);
  ++jobs_;
}

std::vector<LabelUse::Value> LabelUse::values() const {
  std::vector<Value> values;
  for (const auto& [value, sum] : by_value_) values.push_back({value, sum});
  std::stable_sort(values.begin(), values.end(),
                   [](const Value& a, const Value& b) { return a.sum.credits > b.sum.credits; });
  return values;
}

}  // namespace gateway::jobs
