// SHA-256, and bytes of a message that are the same for the same message.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/message_lite.h"

namespace gateway::rpc {

std::string Sha256(std::string_view bytes);  // 32 bytes

// Maps sorted; otherwise the wire form.
std::string DeterministicBytes(const google::protobuf::MessageLite& message);

}  // namespace gateway::rpc
