// These functions make sentences, for the people who wait for a job, about answers of Pictory's
// that do not tell how the job is. Pure.
//
// Each sentence says what came, with Pictory's own words, and that the gateway goes on asking. It
// holds nothing that changes from one such answer to the next, because a sentence that changes is a
// change of the job.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "http/transport.h"
#include "pictory/envelope.h"
#include "pictory/kinds.h"

namespace gateway::pictory {

// `envelope` is what ReadEnvelope made of the response's body.
std::string NotUnderstood(const http::Response& response, const absl::StatusOr<Envelope>& envelope);

// The sentence for an answer that says completed while what makes a result of this kind usable is
// missing.
std::string Incomplete(const Envelope& envelope, const KindFacts& kind);

}  // namespace gateway::pictory
