// JobIdOfWebhookCall reads what Pictory's webhook call says. Nobody has signed the call: it is a
// hint, and only the id in it is read. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gateway::pictory {

// Returns Pictory's job id in any of its spellings: beside the result, in `data`, or in a `job` of
// either; "" if there is none, or none that could be one. The beginning of a body is enough, if the
// id is in it.
std::string JobIdOfWebhookCall(std::string_view body);

}  // namespace gateway::pictory
