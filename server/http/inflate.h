// InflatedBeginning reads bodies that came compressed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gateway::http {

// Returns at most `max_bytes` of what a body holds; `encoding` is the value of its Content-Encoding
// ("" for none). A body by gzip or deflate is inflated as far as it goes, also if its end is
// missing; a gzip body without the header too, because proxies lose it. Any other body is given
// back as it is. Pure; `max_bytes` bounds the memory, however much would come of a small body.
std::string InflatedBeginning(std::string_view encoding, std::string_view body,
                              std::size_t max_bytes);

}  // namespace gateway::http
