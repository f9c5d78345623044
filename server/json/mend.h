// Mend turns JSON that is odd, but readable to most programs, into JSON that keeps the rules of
// json/check.h. It makes a copy of the same length, so that a place in one is the same place in the
// other. Events are taken from the copy; numbers, and what is handed on as the bytes it has, from
// the text itself.
//
// It is pure, and linear in the length of the text whatever that holds: it does not recurse, and
// beyond the copy it takes no more memory than the checked reading takes for its keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/check.h"

namespace gateway::json {

// In both readings, what RapidJSON finds too long or too large for a number is made a short zero.
// In the forgiving one also:
//   a byte order mark at the front          is blank
//   half of a surrogate pair, \ud83c        is \ufffd
//   an earlier member of the same key       is blank, its comma included
//   what nests beyond limits.max_depth      is an empty object or array, one level beyond it
//   NaN, Infinity, -Infinity                is a zero
//   a control character within a string     is kRawControl
// Bytes that are no UTF-8 stay: what replaces them is longer than they are.
// Where the text stops being JSON, mending stops; the rest is as it was, for the parser to find.
std::string Mend(std::string_view text, const Limits& limits);

// Stands for a control character. It is a byte that is never part of UTF-8.
inline constexpr char kRawControl = '\xFF';

// The length of the NaN, Infinity or -Infinity at `at`; 0 if there is none.
std::size_t NotANumberAt(std::string_view text, std::size_t at);

}  // namespace gateway::json
