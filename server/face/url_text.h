// These functions read the path and the query of a URL, strictly: two programs that read them
// differently would disagree about what is asked for. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::face {

// The text that percent-encoding stands for. Unset if an encoding is broken, or if there is what no
// id and no word has: control characters, or bytes that are no UTF-8. A `+` stays one.
std::optional<std::string> PercentDecoded(std::string_view text);

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

// The pairs of `a=1&b=2`, in their order; a name alone has the value "". A `+` is a blank, as forms
// have it. Unset if one cannot be decoded, or has no name.
std::optional<QueryPairs> ReadQuery(std::string_view query);

}  // namespace gateway::face
