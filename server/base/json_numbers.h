// JSON numbers that no double holds: `1e400`, four hundred digits. They are valid JSON, and
// RapidJSON refuses them even where it is asked for their text.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

// `json` with each such number replaced by the nearest double, filled up with blanks, so that all
// else stands where it stood. What is no JSON stays none. Pure.
std::string WithNumbersWithinDouble(std::string_view json);

}  // namespace gateway
