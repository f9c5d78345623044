// Tags of what is answered, as RFC 9110 has them. Pure.
#pragma once

#include <string_view>

#include "http/server_message.h"

namespace gateway::face {

// Whether If-None-Match names this tag; weak ones are as good for that.
bool IsKnown(const http::ServerRequest& head, std::string_view tag);

}  // namespace gateway::face
