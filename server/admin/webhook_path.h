// LastSegment finds the sealed segment of a path, which Pictory, or an ingress before us, may have
// written in other ways than it was given out.
#pragma once

#include <string>
#include <string_view>

namespace gateway::admin {

// Returns the last segment that is not empty, decoded; "" if there is none. Pure.
std::string LastSegment(std::string_view path);

}  // namespace gateway::admin
