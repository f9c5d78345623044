// ClosestWord finds the known word that a mistyped one was probably meant to be. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gateway::pictory {

// "" if nothing is near. Case, `_` and `-` never count; then up to a third of the letters may
// differ, three at most.
std::string ClosestWord(std::string_view word, const std::vector<std::string>& known);

}  // namespace gateway::pictory
