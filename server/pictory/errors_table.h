// This table says what Pictory's refusals become for callers. server/docs/errors.md shows it.
//
// It covers submits, and refusals of free calls (pictory/refusal.h). Polls are not in it: a poll
// that fails changes no job.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace gateway::pictory {

enum class Retry {
  kNo,     // the same request gets the same answer
  kLater,  // nothing was submitted; try again after RetryInfo's delay
  kFix,    // an operator must act first
  kNever,  // it may have been submitted, and billed: watch the job instead
};

struct ErrorRow {
  int http_from, http_to;         // statuses, both included
  std::string_view pictory_code;  // "": any
  absl::StatusCode code;          // kOk: the call succeeds, its job is UNCONFIRMED
  std::string_view reason;        // ErrorInfo.reason
  Retry retry;
  std::string_view meaning;
};

// The first row that fits decides.
inline constexpr std::array<ErrorRow, 19> kErrorTable = {{
    // Leave open whether the job exists, whatever their body says.
    {300, 399, "", absl::StatusCode::kOk, "", Retry::kNever, "A redirect, which is not followed"},
    {408, 409, "", absl::StatusCode::kOk, "", Retry::kNever, "Timeout or conflict at Pictory"},
    {425, 425, "", absl::StatusCode::kOk, "", Retry::kNever, "Too early"},
    {500, 599, "", absl::StatusCode::kOk, "", Retry::kNever,
     "Pictory, or a proxy before it, failed"},
    // Certainly nothing submitted.
    {429, 429, "", absl::StatusCode::kResourceExhausted, "UPSTREAM_RATE_LIMITED", Retry::kLater,
     "Pictory is rate limiting the account"},
    {401, 401, "", absl::StatusCode::kFailedPrecondition, "UPSTREAM_CREDENTIALS", Retry::kFix,
     "Pictory refuses the gateway's credentials"},
    // By Pictory's error_code.
    {200, 499, "INSUFFICIENT_CREDITS", absl::StatusCode::kResourceExhausted, "UPSTREAM_CREDITS",
     Retry::kNo, "The Pictory account has too few credits"},
    {200, 499, "INVALID_REQUEST_BODY", absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID",
     Retry::kNo, "Pictory finds the request invalid; BadRequest names the fields"},
    {200, 499, "JOB_NOT_FOUND", absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND", Retry::kNo,
     "Pictory does not know the job or project"},
    {200, 499, "5000", absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND", Retry::kNo,
     "Pictory does not know the job or project"},
    // By HTTP status.
    {400, 400, "", absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID", Retry::kNo,
     "Pictory finds the request invalid; BadRequest names the fields"},
    {402, 402, "", absl::StatusCode::kResourceExhausted, "UPSTREAM_CREDITS", Retry::kNo,
     "The Pictory account must pay first"},
    {403, 403, "", absl::StatusCode::kPermissionDenied, "UPSTREAM_FORBIDDEN", Retry::kFix,
     "Pictory, or the bot filter in front of it, forbids the call"},
    {404, 404, "", absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND", Retry::kNo,
     "Pictory does not know the job or project"},
    {413, 413, "", absl::StatusCode::kInvalidArgument, "UPSTREAM_TOO_LARGE", Retry::kNo,
     "The body is larger than Pictory takes"},
    {422, 422, "", absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID", Retry::kNo,
     "Pictory finds the request invalid; BadRequest names the fields"},
    {400, 499, "", absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED", Retry::kNo,
     "Any other refusal"},
    {200, 299, "", absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED", Retry::kNo,
     "success:false or an error object, and no job id"},
    // Everything else: no complete answer at all, or one that makes no sense.
    {0, 999, "", absl::StatusCode::kOk, "", Retry::kNever, "Outcome unknown"},
}};

// The row for a complete answer that is no acceptance.
const ErrorRow& FindErrorRow(int http_status, std::string_view pictory_code);

// Whether a complete answer with this status leaves open whether Pictory accepted the job.
bool LeavesOutcomeOpen(int http_status);

std::string_view RetryName(Retry retry);

// The table as Markdown, header included.
std::string ErrorTableMarkdown();

}  // namespace gateway::pictory
