// A time as messages carry it. Pure.
#pragma once

#include "base/clock.h"
#include "google/protobuf/timestamp.pb.h"

namespace gateway::jobs {

inline google::protobuf::Timestamp ToTimestamp(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  google::protobuf::Timestamp out;
  out.set_seconds(whole.count());
  out.set_nanos(static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since - whole).count()));
  return out;
}

inline WallTime ToWallTime(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos())));
}

}  // namespace gateway::jobs
