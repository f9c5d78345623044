// ServeLines serves one agent over two streams, as over stdin and stdout: one message a line.
#pragma once

#include "mcp/server.h"

namespace gateway::mcp {

// Returns when the agent has ended its input, or reads no more. What it has asked for by then is
// answered, within limits::kMcpEndMax; false if that was too short, and calls are still under way:
// then the program must end without their threads.
bool ServeLines(Server& server, int in, int out);

}  // namespace gateway::mcp
