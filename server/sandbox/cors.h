// These functions let pages of the reader's own machine call the sandbox, as browsers ask before
// they let them: Pictory's samples for browsers run there. A page of another site gets no leave.
// Pure.
#pragma once

#include "http/server_message.h"

namespace gateway::sandbox {

// Whether a browser asks if a page may make a request that is to follow.
bool IsPreflight(const http::ServerRequest& request);
http::ServerResponse AnswerPreflight(const http::ServerRequest& request);

// Gives a page of this machine leave to read the answer to its request.
void AllowPage(const http::ServerRequest& request, http::ServerResponse& response);

}  // namespace gateway::sandbox
