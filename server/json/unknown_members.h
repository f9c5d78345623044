// FindUnknown finds the members of JSON text that a message has no field for, at every depth.
//
// What has no shape in the message is not looked into: free values, maps, JSON text, and what is
// inside an unknown member. A value of another type than the field's is not looked into either, but
// for a single object where the field is a list. Pure; time is in proportion to the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "json/check.h"

namespace gateway::json {

struct UnknownMember {
  std::string object;  // where the object around it is: `scenes[2].voiceOver`, empty for the root
  std::string key;     // decoded
  const google::protobuf::Descriptor* message = nullptr;  // of that object
};

// The first `max` of them, in the order of the text. INVALID_ARGUMENT as from Check.
absl::StatusOr<std::vector<UnknownMember>> FindUnknown(std::string_view text, const Limits& limits,
                                                       const google::protobuf::Descriptor* message,
                                                       std::size_t max);

}  // namespace gateway::json
