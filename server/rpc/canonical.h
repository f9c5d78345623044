// The canonical bytes of a message: the same for equal messages, whatever wrote them, in every
// version of this program and of protobuf. That is more than the wire format promises, even in its
// deterministic form, and the fingerprints of submits are kept for weeks.
//
// Only fields that are set count, so that a field added later changes nothing for those who do not
// set it. They follow each other by number; each is its number, a letter for its kind, and its
// value with a length in front. Maps are sorted by key. Unknown fields do not count: submits with
// such are refused. The letters and the order never change; should they have to,
// kFingerprintVersion rises.
#pragma once

#include <string_view>

#include "base/sha256.h"
#include "google/protobuf/message.h"

namespace gateway::rpc {

void AppendCanonical(std::string_view text, Sha256Stream& out);
void AppendCanonical(const google::protobuf::Message& message, Sha256Stream& out);

}  // namespace gateway::rpc
