// A message as bytes that are the same whenever the message is.
#pragma once

#include <string>

#include "google/protobuf/message_lite.h"

namespace gateway {

// As SerializeAsString, but the entries of a map are in the order of their keys. Otherwise it is
// another one each time, and nobody can compare two answers, two log lines or two records. Pure.
std::string StableBytes(const google::protobuf::MessageLite& message);

}  // namespace gateway
