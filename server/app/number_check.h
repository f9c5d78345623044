// These validators check the numbers among the settings. A number has decimal digits and nothing
// else: it is not hexadecimal or octal, has no unit behind it and no blank around it. The messages
// say what is expected, in words.
#pragma once

#include <cstdint>
#include <string_view>

#include <CLI/CLI.hpp>

namespace gateway::app {

// `unit`, if any, is that of the number, for the message: "seconds".
CLI::Validator Whole(std::int64_t least, std::int64_t most, std::string_view unit = "");
CLI::Validator Decimal(double least, double most, std::string_view unit = "");

}  // namespace gateway::app
