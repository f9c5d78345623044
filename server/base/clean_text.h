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

}  // namespace gateway
