// The tools as agents list them: a JSON array, made from the .proto when the gateway is built
// (mcp/tools/main.cc).
#pragma once

#include <string_view>

namespace gateway::mcp {

std::string_view ToolsDocument();

}  // namespace gateway::mcp
