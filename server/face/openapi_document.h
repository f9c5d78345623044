// The OpenAPI document of the API over HTTP, as JSON. A program of its own writes it from the
// .proto and its comments when the gateway is built (server/face/openapi).
#pragma once

#include <string_view>

namespace gateway::face {

std::string_view OpenApiDocument();

}  // namespace gateway::face
