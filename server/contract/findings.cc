#include "contract/findings.h"

#include <algorithm>
#include <utility>

namespace gateway::contract {

void Findings::Judge(FactName fact, bool holds, std::string seen) {
  Finding& found = found_.at(fact.index);
  if (found.verdict == Verdict::kFails) return;
  if (holds && found.verdict == Verdict::kHolds) return;
  found = {holds ? Verdict::kHolds : Verdict::kFails, std::move(seen)};
}

void Findings::SkipAt(std::size_t index, std::string why) {
  Finding& found = found_.at(index);
  if (found.verdict == Verdict::kUnchecked) found.seen = std::move(why);
}

int Findings::Count(Verdict verdict) const {
  return static_cast<int>(std::count_if(
      found_.begin(), found_.end(), [&](const Finding& each) { return each.verdict == verdict; }));
}

void Findings::Edit(const std::function<void(std::string&)>& edit) {
  for (Finding& found : found_) edit(found.seen);
}

}  // namespace gateway::contract
