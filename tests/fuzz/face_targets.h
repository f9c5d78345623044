// The targets that read what comes over HTTP (server/face).
#pragma once

#include <string_view>

namespace gateway::fuzz {

// A path, and behind a `?` a query.
void HttpTarget(std::string_view input);

// A body of proto JSON. The first byte says for which request.
void ApiBody(std::string_view input);

}  // namespace gateway::fuzz
