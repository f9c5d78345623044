// A Report says which facts about Pictory hold, which do not, and which could not be tried. It is
// made to be shown to others: see contract/findings.h.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "contract/findings.h"

namespace gateway::contract {

// A job that this run has paid for, or that an earlier one has and this one goes on with.
struct SpentJob {
  std::string kind;
  std::string job_id;  // "": it was sent, and no answer tells whether there is one
  bool earlier = false;
};

struct Report {
  std::string base_url;
  WallTime when{};
  Findings findings;
  std::vector<SpentJob> spent;
  std::string stopped;  // why the paid part ended early; empty: it did not
};

std::string AsText(const Report& report);
std::string AsJson(const Report& report);

}  // namespace gateway::contract
