// Tags of what is answered, as RFC 9110 has them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "http/server_message.h"

namespace gateway::face {

// A weak tag of the job in an answer: as long as it is the same, the same is told of the job. Some
// of that changes without a new revision. Empty if the answer has no job.
std::string TagOfJob(const google::protobuf::Message& answer);

// Whether If-None-Match names this tag; weak ones are as good for that.
bool IsKnown(const http::ServerRequest& head, std::string_view tag);

}  // namespace gateway::face
