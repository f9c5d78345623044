// Splice adds members to a raw JSON object without rewriting any of its bytes.
//
// The object must have been checked (json/check.h). The caller sees to it that its keys differ from
// the new ones, which Outline::Find tells.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gateway::json {

// What stands between the braces of an object, without the white space at its ends: `{ "a": 1 }`
// gives `"a": 1`, `{}` gives nothing. INVALID_ARGUMENT if the text is no object in braces.
absl::StatusOr<std::string_view> Members(std::string_view object);

// `object` with `members` (`"a":1,"b":2`, no braces) put before its closing brace; the bytes before
// and after that place are as they were. Without members it is a plain copy. INVALID_ARGUMENT if
// `object` is no object in braces.
absl::StatusOr<std::string> Splice(std::string_view object, std::string_view members);

}  // namespace gateway::json
