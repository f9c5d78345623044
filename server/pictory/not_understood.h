// Sentences for the people who wait for a job, about answers of Pictory's that do not tell how it
// is. Pure.
//
// Each names what came, with Pictory's own words, and that the gateway goes on asking. They hold
// nothing that changes from one such answer to the next: a sentence that changes is a change of the
// job.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "http/transport.h"
#include "pictory/envelope.h"
#include "pictory/kinds.h"

namespace gateway::pictory {

// `envelope` is what ReadEnvelope made of the response's body.
std::string NotUnderstood(const http::Response& response, const absl::StatusOr<Envelope>& envelope);

// Pictory says completed, and what makes the result of this kind usable is missing.
std::string Incomplete(const Envelope& envelope, const KindFacts& kind);

}  // namespace gateway::pictory
