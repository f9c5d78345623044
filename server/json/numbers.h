// These functions convert the text of a number to a value, exactly. Private to json/.
//
// Text from a string may be anything; only decimal numbers are taken from it: no `inf`, no
// hexadecimals, no white space.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace gateway::json {

enum class NumberFault { kNone, kNotANumber, kOutOfRange };

// Converts `text`, which has the grammar of a JSON number.
inline NumberFault ConvertDouble(std::string_view text, double& value) {
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) {
    return NumberFault::kNotANumber;
  }
  if (result.ec == std::errc::result_out_of_range) {
    // A number that is too small is as good as zero, one that is too big is not. from_chars does
    // not tell which it is.
    if (!absl::SimpleAtod(absl::string_view(text.data(), text.size()), &value)) {
      return NumberFault::kNotANumber;
    }
  }
  return std::isfinite(value) ? NumberFault::kNone : NumberFault::kOutOfRange;
}

inline NumberFault ParseDouble(std::string_view text, double& value) {
  for (const char c : text) {
    // from_chars would take `inf` and `nan`.
    if ((c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E') {
      return NumberFault::kNotANumber;
    }
  }
  return ConvertDouble(text, value);
}

inline NumberFault ParseInt32(std::string_view text, std::int32_t& value) {
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ptr == end) {
    if (result.ec == std::errc()) return NumberFault::kNone;
    if (result.ec == std::errc::result_out_of_range) return NumberFault::kOutOfRange;
  }
  // 3.0 and 3e0 are whole numbers too.
  double number = 0;
  const NumberFault fault = ParseDouble(text, number);
  if (fault != NumberFault::kNone) return fault;
  if (number != std::trunc(number)) return NumberFault::kNotANumber;
  if (number < std::numeric_limits<std::int32_t>::min() ||
      number > std::numeric_limits<std::int32_t>::max()) {
    return NumberFault::kOutOfRange;
  }
  value = static_cast<std::int32_t>(number);
  return NumberFault::kNone;
}

}  // namespace gateway::json
