// WithNumbersWithinDouble replaces JSON numbers that no double holds, such as `1e400` or four
// hundred digits. They are valid JSON, and RapidJSON refuses them even where it is asked for their
// text.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

// `json` with each such number replaced by the nearest double, filled up with blanks so that
// everything else keeps its place. Text that is not JSON does not become JSON. Pure.
std::string WithNumbersWithinDouble(std::string_view json);

}  // namespace gateway
