// The PICTORY_… variables of the environment, and what is wrong with them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::app {

using Variables = std::map<std::string, std::string>;  // by name

// All variables of this process.
Variables ProcessVariables();

// Whether this is a variable that Kubernetes puts into every container for a Service of the
// namespace: PICTORY_GATEWAY_SERVICE_HOST, _SERVICE_PORT, _SERVICE_PORT_GRPC, _PORT (with the value
// tcp://10.0.0.1:50051), _PORT_50051_TCP and its _PROTO, _PORT and _ADDR. Pure.
bool IsServiceLink(std::string_view name, std::string_view value);

// One line for each variable that nobody reads although it looks meant for us (PICTORY_MAX_WATCHS,
// pictory_max_watches, PICTROY_MAX_WATCHES), and for each known one that is empty. The lines hold
// no values. `known` are the names that are read. Pure.
std::vector<std::string> CheckVariables(const Variables& variables,
                                        const std::vector<std::string>& known);

// The known name that `word` probably means, whichever way it is written: max-watches,
// --max-watches and PICTORY_MAX_WATCHES are the same one. Empty if none is near. Pure.
std::string NearestSetting(std::string_view word, const std::vector<std::string>& known);

}  // namespace gateway::app
