// GrantAll gives the leases of a store that one process holds: all of them, for as long as the
// process lives.
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "jobs/store.h"

namespace gateway::store {

inline jobs::Holding GrantAll(std::int64_t epoch) {
  jobs::Holding all;
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    all.leases.push_back({.shard = shard, .epoch = epoch, .until = BootTime::max()});
  }
  return all;
}

}  // namespace gateway::store
