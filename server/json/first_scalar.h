// FirstScalar picks one value out of JSON text from anybody and stops: what follows is not looked
// at.
//
// So it works on the beginning of a text that is longer than anybody wants to read, and costs no
// more than the way to the value, unless the text is odd on that way. It is pure and retains
// nothing.
#pragma once

#include <string>
#include <string_view>

#include "json/path_table.h"

namespace gateway::json {

// The first string or number in the text that stands at one of `paths` and is not empty: decoded, a
// number as written. "" if there is none before the text ends or breaks; it is read forgivingly
// (json/check.h), though of two equal keys the first may be the one that is found.
std::string FirstScalar(std::string_view text, const PathTable& paths);

}  // namespace gateway::json
