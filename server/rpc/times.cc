#include "rpc/times.h"

#include <chrono>

namespace gateway::rpc {

bool ReadTime(const google::protobuf::Timestamp& in, std::optional<WallTime>& out) {
  if (in.seconds() < -62'135'596'800 || in.seconds() > 253'402'300'799) return false;
  if (in.nanos() < 0 || in.nanos() > 999'999'999) return false;
  out =
      WallTime(std::chrono::seconds(in.seconds()) + std::chrono::duration_cast<WallTime::duration>(
                                                        std::chrono::nanoseconds(in.nanos())));
  return true;
}

void SetTime(WallTime time, google::protobuf::Timestamp& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count()));
}

}  // namespace gateway::rpc
