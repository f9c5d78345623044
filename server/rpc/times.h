// The times of requests and answers.
#pragma once

#include <optional>

#include "base/clock.h"
#include "google/protobuf/timestamp.pb.h"

namespace gateway::rpc {

// Reads a time within the years 1 to 9999, as proto JSON has them; false for any other.
bool ReadTime(const google::protobuf::Timestamp& in, std::optional<WallTime>& out);

void SetTime(WallTime time, google::protobuf::Timestamp& out);

}  // namespace gateway::rpc
