// JobNameIn finds what a submit calls its job: the `videoName` of a body, given in fields or as
// JSON text, else the name of the file that a `file_url` leads to, without the query. It is for
// people: on one line, and cut after limits::kJobNameMaxBytes. Empty if the request has neither. It
// is pure, and reads the text up to that member, so it takes time in proportion to the request.
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace gateway::pictory {

std::string JobNameIn(const google::protobuf::Message& request);

}  // namespace gateway::pictory
