// The text of others, made fit for a message, a log or a terminal. Pure.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace gateway {

// `text` on one line, as far as `max_bytes` go, which "..." follow. Broken UTF-8 becomes `?`. The
// control characters of ASCII and of Latin-1, what ends a line and what turns the direction of
// writing become a blank each.
std::string CleanText(std::string_view text,
                      std::size_t max_bytes = std::numeric_limits<std::size_t>::max());

}  // namespace gateway
