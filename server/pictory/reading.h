// Reading is how the answers to free calls are read: forgivingly, within bounds of their own. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/errors.h"
#include "base/limits.h"
#include "json/proto_reader.h"
#include "json/utf8.h"
#include "pictory/envelope.h"

namespace gateway::pictory {

// The limits for the answer to a free call.
inline json::Limits FreeReplyLimits() {
  json::Limits limits = kReplyLimits;
  limits.max_values = limits::kFreeReplyMaxValues;
  return limits;
}

// How a message is read from such an answer: a text that is longer than a link may be is left out.
inline json::ReadOptions FreeReading() {
  json::ReadOptions options;
  options.limits = FreeReplyLimits();
  options.string_max_bytes = limits::kResultUrlMaxBytes;
  return options;
}

// `what` is, for example, `list of projects`.
inline absl::Status Unreadable(std::string_view what, std::string_view why) {
  return errors::UpstreamUnreachable("unreadable " + std::string(what) + ": " + std::string(why),
                                     limits::kUpstreamRetryLater, errors::Call::kFree);
}

// The whole answer as text for a caller, unless it is longer than an answer may be. A broken letter
// is replaced, because clients refuse a message with one.
template <class Response>
void KeepWhole(std::string_view body, std::string& whole, Response& response) {
  if (body.size() <= limits::kWholeAnswerMaxBytes) whole = json::WellFormed(body);
  if (body.size() > limits::kWholeAnswerMaxBytes || whole.size() > limits::kWholeAnswerMaxBytes) {
    whole.clear();
    response.set_omitted_bytes(static_cast<std::int32_t>(body.size()));
  }
}

}  // namespace gateway::pictory
