#include "simulation/breakages.h"

#include <atomic>

namespace gateway::jobs {
namespace {

std::atomic<Guard> switched_off{Guard::kNone};

}  // namespace

bool IsOff(Guard guard) { return switched_off.load(std::memory_order_relaxed) == guard; }

}  // namespace gateway::jobs

namespace gateway::simulation {

const Breakage* FindBreakage(std::string_view name) {
  for (const Breakage& breakage : kBreakages) {
    if (breakage.name == name) return &breakage;
  }
  return nullptr;
}

const SharedBreakage* FindSharedBreakage(std::string_view name) {
  for (const SharedBreakage& breakage : kSharedBreakages) {
    if (breakage.name == name) return &breakage;
  }
  return nullptr;
}

std::string BreakageNames() {
  std::string names;
  for (const Breakage& breakage : kBreakages) names.append(" ").append(breakage.name);
  names += "\nor, of several gateways:";
  for (const SharedBreakage& one : kSharedBreakages) names.append(" ").append(one.name);
  return names;
}

void Apply(const Breakage& breakage, Bugs& bugs) {
  jobs::switched_off = breakage.guard;
  bugs = Bugs{};
  if (breakage.store != nullptr) bugs.store.*breakage.store = true;
  if (breakage.other != nullptr) bugs.*breakage.other = true;
}

void Apply(const SharedBreakage& breakage, Bugs& bugs) {
  Apply(Breakage{}, bugs);
  if (breakage.database != nullptr) bugs.database.*breakage.database = true;
  if (breakage.other != nullptr) bugs.*breakage.other = true;
}

}  // namespace gateway::simulation
