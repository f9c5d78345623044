#include "app/number_check.h"

#include <charconv>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gateway::app {
namespace {

std::string Text(std::int64_t value) { return absl::StrCat(value); }

// Writes 1000000, not 1e+06.
std::string Text(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? absl::StrCat(whole) : absl::StrCat(value);
}

template <class Number>
CLI::Validator Within(Number least, Number most, const char* kind, std::string_view unit) {
  const std::string range = absl::StrCat(Text(least), " to ", Text(most));
  const std::string expected =
      absl::StrCat(kind, unit.empty() ? "" : " of ", std::string(unit), " from ", range);
  const auto check = [least, most, expected](const std::string& text) -> std::string {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    // CLI11 would read 010 as eight.
    const bool octal = text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
    if (parsed.ec == std::errc() && parsed.ptr == end && !octal && value >= least &&
        value <= most) {
      return "";
    }
    return absl::StrCat("must be ", expected, ", not '", text, "'");
  };
  return CLI::Validator([check](std::string& text) { return check(text); }, range);
}

}  // namespace

CLI::Validator Whole(std::int64_t least, std::int64_t most, std::string_view unit) {
  return Within(least, most, "a whole number", unit);
}

CLI::Validator Decimal(double least, double most, std::string_view unit) {
  return Within(least, most, "a number", unit);
}

}  // namespace gateway::app
