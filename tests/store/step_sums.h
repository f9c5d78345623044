// These functions give the sum of each step of a schema, so that a test notices a step that changes
// after its release.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/sha256.h"

namespace gateway::store {

template <class Migration>
std::vector<std::string> StepSums(const std::vector<Migration>& migrations) {
  std::vector<std::string> sums;
  for (const Migration& migration : migrations) {
    Sha256Stream sum;
    sum.Append(migration.sql);
    sums.push_back(absl::BytesToHexString(sum.Finish()));
  }
  return sums;
}

}  // namespace gateway::store
