// An error over HTTP is a google.rpc.Status as JSON, with its details. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "http/server_message.h"

namespace gateway::face {

// 404 for NOT_FOUND and so on, as Google's API guide has it; where HTTP has a word of its own for
// the reason, that one.
int HttpStatusOf(const absl::Status& status);

// `{"code":5,"message":"…","details":[{"@type":"…/google.rpc.ErrorInfo","reason":"…"}]}`
std::string StatusJson(const absl::Status& status);

// The whole answer, with Retry-After if it is worth trying again.
http::ServerResponse ErrorResponse(const absl::Status& status);

}  // namespace gateway::face
