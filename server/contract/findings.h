// Findings collects what was seen of each fact (contract/facts.h).
//
// What was seen is told in words of ours, with statuses, types and names of members, and never with
// a value of Pictory's, because the report is made to be shown to others.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "contract/facts.h"

namespace gateway::contract {

enum class Verdict { kHolds, kFails, kUnchecked };

struct Finding {
  Verdict verdict = Verdict::kUnchecked;
  std::string seen;  // or why nothing was
};

class Findings {
 public:
  // Of several looks at one fact the first that fails decides.
  void Judge(FactName fact, bool holds, std::string seen);
  // The fact could not be tried. It counts only if no look at the fact could be judged.
  void Skip(FactName fact, std::string why) { SkipAt(fact.index, std::move(why)); }
  void SkipAt(std::size_t index, std::string why);

  const Finding& Of(std::size_t index) const { return found_.at(index); }
  int Count(Verdict verdict) const;
  // Changes all that was seen.
  void Edit(const std::function<void(std::string&)>& edit);

 private:
  std::array<Finding, kFacts.size()> found_;
};

}  // namespace gateway::contract
