// CleanText makes the text of others fit for a message, a log or a terminal. It is pure.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace gateway {

// `text` on one line, cut after `max_bytes`, with "..." behind a cut. Broken UTF-8 becomes `?`.
// Each control character of ASCII and of Latin-1, each character that ends a line and each that
// turns the direction of writing becomes a blank.
std::string CleanText(std::string_view text,
                      std::size_t max_bytes = std::numeric_limits<std::size_t>::max());

// The same of several lines: ends of lines and tabs stay, and nothing is cut.
std::string CleanLines(std::string_view text);

// JSON with the same characters inside its strings as escapes, so that it means what it meant.
std::string CleanJson(std::string_view json);

// How many bytes at the end of `text` begin a character of UTF-8 that is not whole yet.
std::size_t UnfinishedBytes(std::string_view text);

}  // namespace gateway
