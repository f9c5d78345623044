// LabelUse sums what jobs have used by the values of one label. The first
// limits::kUsageValuesMax values that come are told by themselves, all others together.
//
// Pure; for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/job.h"

namespace gateway::jobs {

class LabelUse {
 public:
  struct Sum {
    std::int64_t jobs = 0;
    double credits = 0;  // as CreditsOf of a record (jobs/spending.h)

    bool operator==(const Sum&) const = default;
  };
  struct Value {
    std::optional<std::string> value;  // nullopt: of the jobs without the label
    Sum sum;

    bool operator==(const Value&) const = default;
  };

  explicit LabelUse(std::string key) : key_(std::move(key)) {}

  void Add(const JobRecord& record);

  // The most credits first.
  std::vector<Value> values() const;
  const Sum& others() const { return others_; }
  std::int64_t jobs() const { return jobs_; }  // all that were added

 private:
  const std::string key_;
  std::map<std::optional<std::string>, Sum> by_value_;
  Sum others_;
  std::int64_t jobs_ = 0;
};

}  // namespace gateway::jobs
