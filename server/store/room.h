// CheckRoom checks whether a store has room to grow, before anybody is told that the gateway
// serves.
//
// A gateway that starts on a full disk would accept submits and fail at the first one, if not at
// the first result of a job that was paid for. Room at the start does not mean that there always
// will be room.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/limits.h"

namespace gateway::store {

// Takes `bytes` of the file system in a file without a name, and gives them back, so that quotas
// and limits of the process count too. RESOURCE_EXHAUSTED, with how much is free and what to do.
absl::Status CheckRoom(const std::string& directory,
                       std::int64_t bytes = limits::kStoreRoomMinBytes);

}  // namespace gateway::store
