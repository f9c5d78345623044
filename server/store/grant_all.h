// GrantAll gives the leases of a store that one process holds: each that is asked for is granted,
// for as long as the process lives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/limits.h"
#include "jobs/store.h"

namespace gateway::store {

inline std::vector<jobs::Lease> GrantAll(std::int32_t wanted, std::int64_t epoch) {
  std::vector<jobs::Lease> leases;
  for (std::int32_t shard = 0; shard < std::min(wanted, limits::kShards); ++shard) {
    leases.push_back({.shard = shard, .epoch = epoch, .until = MonoTime::max()});
  }
  return leases;
}

}  // namespace gateway::store
