// WriteMessage writes messages to JSON, exactly: only the fields that are set, in the order of
// their numbers.
//
// "Set" is presence where a field has it, non-zero where not, non-empty for lists and maps.
// Integers stay integers; keys of maps and of free values are sorted, so equal messages give equal
// bytes. Of doubles, and so of the numbers of free values, whole ones are written as integers up to
// 2^53, others with the fewest digits that read back the same. Fields of the roles CONTROL, PATH,
// BODY and RAW_SELF are not written; SPLICE adds the members of its object; a message with an ITEMS
// field is a bare array.
//
// The functions are pure and thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace gateway::json {

// Appends the message to `out`. INVALID_ARGUMENT with the field's path if it holds what JSON
// cannot: a NaN or infinity, text that is not UTF-8, a SPLICE that is no object, an empty RAW_JSON.
// Raw JSON is not checked beyond that (json/check.h does), and keys it adds are not compared with
// ours. On an error `out` has an unspecified tail.
absl::Status WriteMessage(const google::protobuf::Message& message, std::string& out);

// The same in a string of its own.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace gateway::json
