// The board is served from the program's own files (board/files.h). They say nothing of this
// gateway: what is shown on it comes by calls of the API, with what proves who makes them. Pure.
#pragma once

#include <optional>

#include "http/server_message.h"

namespace gateway::face {

// Unset if no file of the board is asked for. It is the same page for everybody.
std::optional<http::ServerResponse> BoardAnswer(const http::ServerRequest& head);

}  // namespace gateway::face
