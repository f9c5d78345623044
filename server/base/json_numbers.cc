#include "base/json_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace gateway {
namespace {

constexpr std::size_t kDigitsMax = 300;  // RapidJSON takes 308
constexpr double kLargest = 1e308;  // and its text is never longer than that of a larger number

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t SkipDigits(std::string_view text, std::size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// The position behind the number that begins at `at`; `at` itself if no number does.
std::size_t SkipNumber(std::string_view text, std::size_t at) {
  const std::size_t whole = text[at] == '-' ? at + 1 : at;
  std::size_t end = SkipDigits(text, whole);
  if (end == whole || (text[whole] == '0' && end > whole + 1)) return at;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = SkipDigits(text, end + 1);
    if (fraction == end + 1) return at;
    end = fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t power = end + 1;
    if (power < text.size() && (text[power] == '+' || text[power] == '-')) ++power;
    const std::size_t after = SkipDigits(text, power);
    if (after == power) return at;
    end = after;
  }
  return end;
}

// The text of the nearest double, no longer than `number`; empty if the number can stay as it is.
std::string Nearest(const std::string& number) {
  const double value = std::strtod(number.c_str(), nullptr);
  if (std::isfinite(value) && number.size() <= kDigitsMax) return "";
  if (!std::isfinite(value)) return value < 0 ? "-1e308" : "1e308";
  char text[32];
  std::snprintf(text, sizeof text, "%.17g",
                std::fabs(value) > kLargest ? std::copysign(kLargest, value) : value);
  return text;
}

}  // namespace

std::string WithNumbersWithinDouble(std::string_view json) {
  std::string text(json);
  bool in_string = false;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (in_string) {
      in_string = c != '"';
      i += c == '\\' ? 2 : 1;
      continue;
    }
    in_string = c == '"';
    const std::size_t end = IsDigit(c) || c == '-' ? SkipNumber(json, i) : i;
    if (end == i) {
      i = std::max(i + 1, SkipDigits(json, i));  // no part of what is no number is one
      continue;
    }
    if (std::string nearest = Nearest(text.substr(i, end - i)); !nearest.empty()) {
      nearest.resize(end - i, ' ');
      text.replace(i, end - i, nearest);
    }
    i = end;
  }
  return text;
}

}  // namespace gateway
