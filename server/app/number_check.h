// What a number among the settings may be. Decimal digits and nothing else: no hexadecimal or
// octal, no unit behind it, no blank around it. The messages say what is expected, in words.
#pragma once

#include <cstdint>
#include <string_view>

#include <CLI/CLI.hpp>

namespace gateway::app {

// `unit`, if any, is that of the number, for the message: "seconds".
CLI::Validator Whole(std::int64_t least, std::int64_t most, std::string_view unit = "");
CLI::Validator Decimal(double least, double most, std::string_view unit = "");

}  // namespace gateway::app
