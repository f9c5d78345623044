// The sealed segment of a path that Pictory, or an ingress before us, may have written in other
// ways.
#pragma once

#include <string>
#include <string_view>

namespace gateway::admin {

// The last segment that is not empty, decoded; "" if there is none. Pure.
std::string LastSegment(std::string_view path);

}  // namespace gateway::admin
