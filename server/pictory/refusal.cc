#include "pictory/refusal.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "json/check.h"
#include "pictory/errors_table.h"
#include "pictory/http_reply.h"

namespace gateway::pictory {
namespace {

// One text, or a list of texts or of objects with a text in them.
std::string ErrorText(const json::Member& errors) {
  if (errors.type != json::Type::kArray && errors.type != json::Type::kObject) {
    return json::Text(errors.value);
  }
  json::Outline inside;
  if (!json::Check(errors.value, kReplyLimits, &inside).ok()) return "";
  std::string text;
  for (const json::Member& item : inside.members) {
    std::string one = json::Text(item.value);
    if (item.type == json::Type::kObject) {
      json::Outline object;
      if (!json::Check(item.value, kReplyLimits, &object).ok()) continue;
      const json::Member* const message = object.Find("message");
      one = message != nullptr ? json::Text(message->value) : std::string(item.value);
    }
    if (!one.empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", one);
  }
  return text;
}

// Pictory's `fields`: [{"name": "scenes", "errors": "…" or ["…"]}].
std::vector<errors::Violation> FieldViolations(std::string_view fields) {
  std::vector<errors::Violation> violations;
  json::Outline list;
  if (fields.empty() || !json::Check(fields, kReplyLimits, &list).ok()) return violations;
  for (const json::Member& item : list.members) {
    if (violations.size() == limits::kUpstreamViolationsMax) break;
    json::Outline entry;
    if (item.type != json::Type::kObject || !json::Check(item.value, kReplyLimits, &entry).ok())
      continue;
    errors::Violation violation;
    if (const json::Member* const name = entry.Find("name")) {
      violation.field = errors::Clean(json::Text(name->value));
    }
    for (const char* key : {"errors", "error", "message"}) {
      const json::Member* const found = entry.Find(key);
      if (found == nullptr || !violation.description.empty()) continue;
      violation.description = errors::Clean(ErrorText(*found));
    }
    if (violation.description.empty()) violation.description = "refused by Pictory";
    violations.push_back(std::move(violation));
  }
  return violations;
}

std::string RefusalText(const http::Response& response, const ErrorRow& row,
                        const Envelope& envelope,
                        const std::vector<errors::Violation>& violations) {
  std::string text =
      absl::StrCat("Pictory refused the request (HTTP ", response.status,
                   envelope.error_code.empty() ? "" : ", ", envelope.error_code, ")");
  if (FromBotFilter(response)) {
    return absl::StrCat(text,
                        ": the bot filter in front of it (Cloudflare) turned the gateway away; "
                        "its operator should check the user agent and address it calls from");
  }
  absl::StrAppend(
      &text, ": ",
      envelope.error_message.empty() ? std::string(row.meaning) : envelope.error_message);
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < violations.size() && i < kShown; ++i) {
    absl::StrAppend(&text, "; ", violations[i].field, violations[i].field.empty() ? "" : ": ",
                    violations[i].description);
  }
  return text;
}

}  // namespace

absl::Status RefusalOf(const http::Response& response, const Envelope& envelope) {
  const ErrorRow& row = FindErrorRow(
      response.status, envelope.error_code.empty() ? envelope.error_message : envelope.error_code);
  const bool open = row.code == absl::StatusCode::kOk;  // of a submit; this is certainly a refusal
  const std::vector<errors::Violation> violations = FieldViolations(envelope.fields);
  return errors::UpstreamRefused(open ? absl::StatusCode::kFailedPrecondition : row.code,
                                 open ? "UPSTREAM_REFUSED" : row.reason,
                                 RefusalText(response, row, envelope, violations),
                                 envelope.error_code, response.status, violations);
}

}  // namespace gateway::pictory
