#include "pictory/not_understood.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "pictory/http_reply.h"

namespace gateway::pictory {
namespace {

constexpr char kGoesOn[] = "; the gateway goes on asking";

// The reason that Pictory gives, such as `: INVALID_REQUEST: no such id`, or nothing.
std::string Reason(const Envelope& envelope) {
  std::string words;
  for (const std::string& part : {envelope.error_code, envelope.error_message}) {
    if (!part.empty()) absl::StrAppend(&words, ": ", part);
  }
  return errors::Clean(words);
}

std::string Quoted(std::string_view words) {
  std::string text = errors::Clean(words);
  absl::StripAsciiWhitespace(&text);
  return text.empty() ? "" : absl::StrCat(" (\"", text, "\")");
}

// The title of a page, because the rest may hold the time and the number of the request; of other
// text the beginning.
std::string PageWords(std::string_view body) {
  const std::string start =
      absl::AsciiStrToLower({body.data(), std::min(body.size(), limits::kSmallRequestMaxBytes)});
  const std::size_t title = start.find("<title>");
  if (title == std::string::npos) {
    return start.find('<') == std::string::npos
               ? Quoted(body.substr(0, limits::kUpstreamTextMaxBytes))
               : "";
  }
  const std::size_t begin = title + 7;
  return Quoted(body.substr(begin, start.find('<', begin) - begin));
}

// `why` without the place, which moves with whatever stands before it.
std::string WithoutPlace(std::string_view why) {
  const std::size_t at = why.find(": ", std::min(why.find(" (byte "), why.size()));
  return at == std::string_view::npos ? std::string(why) : std::string(why.substr(at + 2));
}

std::string WhatCame(const http::Response& response, const absl::StatusOr<Envelope>& envelope) {
  if (response.body.empty()) return " with an empty body";
  if (!HasJsonObject(response)) {
    return absl::StrCat(" with a page that is not JSON", PageWords(response.body));
  }
  if (!envelope.ok()) {
    const absl::string_view why = envelope.status().message();
    return absl::StrCat(" with JSON that cannot be read: ",
                        errors::Clean(WithoutPlace({why.data(), why.size()})));
  }
  if (!envelope->status.empty()) {
    return absl::StrCat(" with the status \"", errors::Clean(envelope->status), "\"",
                        IsSuccess(response) ? ", which the gateway does not know" : "",
                        Reason(*envelope));
  }
  if (!IsSuccess(response)) return Reason(*envelope);
  return absl::StrCat(" without a status and without a result", Reason(*envelope));
}

}  // namespace

std::string NotUnderstood(const http::Response& response,
                          const absl::StatusOr<Envelope>& envelope) {
  return absl::StrCat("Pictory answers HTTP ", response.status, WhatCame(response, envelope),
                      kGoesOn);
}

std::string Incomplete(const Envelope& envelope, const KindFacts& kind) {
  return absl::StrCat("Pictory says completed, but gives no ", std::string(kind.makes),
                      Reason(envelope), kGoesOn);
}

}  // namespace gateway::pictory
