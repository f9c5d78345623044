#include "problem.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "json_text.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

bool Has(const std::string& words, std::string_view piece) {
  return words.find(piece) != words.npos;
}

// What to look at if a gateway cannot be reached, by what the library says and whether TLS was
// asked for.
const char* WhatToLookAt(const std::string& words, bool tls) {
  if (Has(words, "certificate verify failed") || Has(words, "Peer name")) {
    return "its certificate is not believed: is it for this host and in its time, and is its "
           "authority one of the system's, or of --tls-ca or SSL_CERT_FILE?";
  }
  if (Has(words, "wrong version number")) return "it is one without TLS: leave https:// out";
  if (Has(words, "http1.x server") || Has(words, "missing selected ALPN property")) {
    return "this is an HTTP port, not the gRPC one: take that of the gateway's --listen";
  }
  // The library takes the files only when it connects.
  if (tls && Has(words, "empty address list")) {
    return "the files of --tls-ca, --tls-cert and --tls-key cannot be used: are they PEM, and does "
           "the key fit?";
  }
  // A connection that was there and ended before anything was said.
  if (Has(words, "Socket closed") || Has(words, "reset by peer") || Has(words, "Broken pipe")) {
    return tls ? "does it ask for a certificate (--tls-cert, --tls-key), or is it without TLS?"
               : "is it one with TLS? Then write https://";
  }
  return "is it running? --server or PICTORY_GATEWAY names another";
}

// Explains a status in our own words where the library, and not the gateway, wrote it.
void Explain(const absl::Status& status, const std::string& server, Problem& problem) {
  const std::string gateway = OneLine(server);
  const std::string words =
      problem.message.empty() ? absl::StatusCodeToString(status.code()) : problem.message;
  if (absl::IsUnavailable(status)) {
    problem.reason = kNotRunningReason;
    const bool tls = server.rfind("https://", 0) == 0;
    problem.message = absl::StrCat("the gateway ", gateway, " cannot be reached (", words, "); ",
                                   WhatToLookAt(words, tls));
  } else if (absl::IsDeadlineExceeded(status)) {
    problem.reason = kNoAnswerReason;
    problem.message =
        absl::StrCat("the gateway ", gateway, " did not answer in time (", words, ")");
  } else if (BrokenConnection(status)) {
    problem.reason = kConnectionReason;
    problem.message = absl::StrCat("the connection to the gateway ", gateway,
                                   " broke, or a proxy on the way ended the call (", words, ")");
  } else if (absl::IsUnimplemented(status)) {
    problem.reason = kNoGatewayReason;
    problem.message = absl::StrCat(
        gateway, " does not know this call: is it a Pictory jobs gateway, and recent?");
  } else if (problem.message.empty()) {
    problem.message = absl::StrCat("the gateway answered ", words);
  }
}

}  // namespace

Problem UsageProblem(const std::string& message) {
  Problem problem;
  problem.code = absl::StatusCode::kInvalidArgument;
  problem.reason = kUsageReason;
  problem.message = message;
  return problem;
}

Problem ProblemOf(const absl::Status& status, const std::string& server) {
  Problem problem;
  problem.code = status.code();
  problem.reason = Reason(status);
  problem.message = InCommands(OneLine(std::string(status.message())));
  problem.fields = FieldViolations(status);
  problem.retry_after = RetryDelay(status);
  problem.job_id = JobNamedBy(status);
  if (problem.job_id.empty()) problem.job_id = ErrorMetadata(status, "job_id");
  problem.request_id = ErrorMetadata(status, "request_id");
  for (FieldViolation& field : problem.fields) {
    field.field = OneLine(field.field);
    field.description = InCommands(OneLine(field.description));
  }
  if (problem.reason == "CALLER_UNKNOWN") {
    problem.hint =
        "  PICTORY_GATEWAY_KEY, or the file of --gateway-key-file, holds your API key for the "
        "gateway\n";
  }
  if (problem.reason == "PICTORY_KEY_NEEDED") {
    problem.hint =
        "  PICTORY_CALLER_KEY, or the file of --caller-key-file, holds your own API key of "
        "Pictory's\n";
  }
  if (problem.reason.empty()) {
    Explain(status, server, problem);
  } else if (problem.reason == "INVALID_REQUEST" && !problem.fields.empty()) {
    problem.message = "the gateway refused the request:";  // its own is a selection of the fields
  } else if (problem.message.empty()) {
    problem.message =
        absl::StrCat("the gateway answered ", absl::StatusCodeToString(status.code()));
  }
  return problem;
}

std::string ProblemText(const Problem& problem) {
  std::string text = "pictory: ";
  if (problem.line > 0 && problem.reason != kUsageReason) {
    absl::StrAppend(&text, "line ", problem.line,
                    ": ");  // messages about a file name it themselves
  }
  text += problem.message;
  if (problem.retry_after && problem.code != absl::StatusCode::kUnavailable) {
    absl::StrAppend(&text, " (worth trying again in ",
                    Elapsed(std::chrono::ceil<std::chrono::seconds>(*problem.retry_after)), ")");
  }
  absl::StrAppend(&text, "\n");
  for (const FieldViolation& field : problem.fields) {
    absl::StrAppend(&text, "  ", field.field, field.field.empty() ? "" : ": ", field.description,
                    "\n");
  }
  return text + problem.hint;
}

std::string ProblemLine(const Problem& problem) {
  JsonObject error;
  error.Text("code", absl::StatusCodeToString(problem.code));
  error.Text("reason", problem.reason);
  error.Text("message", problem.message);
  error.Text("hint", std::string(absl::StripAsciiWhitespace(problem.hint)));
  error.Text("jobId", problem.job_id);
  error.Text("requestId", problem.request_id);
  if (problem.line > 0) error.Integer("line", problem.line);
  if (problem.retry_after) {
    error.Number("retryAfterSeconds", std::chrono::duration<double>(*problem.retry_after).count());
  }
  std::string fields;
  for (const FieldViolation& violation : problem.fields) {
    JsonObject field;
    field.Text("field", violation.field);
    field.Text("description", violation.description);
    absl::StrAppend(&fields, fields.empty() ? "" : ",", field.Done());
  }
  if (!fields.empty()) error.Raw("fieldViolations", "[" + fields + "]");
  return JsonObject().Raw("error", error.Done()).Done() + "\n";
}

}  // namespace pictory_jobs::cli
