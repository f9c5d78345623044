// StableBytes serialises a message to bytes that are the same whenever the message is.
#pragma once

#include <string>

#include "google/protobuf/message_lite.h"

namespace gateway {

// Does as SerializeAsString, but puts the entries of a map in the order of their keys. Otherwise
// their order differs each time, and nobody can compare two answers, two log lines or two records.
// Pure.
std::string StableBytes(const google::protobuf::MessageLite& message);

}  // namespace gateway
