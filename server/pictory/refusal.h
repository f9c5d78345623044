// RefusalOf puts an answer by which Pictory refuses a request into the words and the code that its
// caller gets (pictory/errors_table.h). Pure.
#pragma once

#include "absl/status/status.h"
#include "http/transport.h"
#include "pictory/envelope.h"

namespace gateway::pictory {

// Of a complete answer that is neither 401 nor 429. `envelope` is what could be read of its body.
absl::Status RefusalOf(const http::Response& response, const Envelope& envelope);

}  // namespace gateway::pictory
