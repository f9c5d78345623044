// Classifies the answer to a paid request. The rule behind every line: a job that may exist is
// never called refused, because a refused request is sent again by its caller, and billed again.
#include "pictory/submit_reply.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "http/transport.h"
#include "json/check.h"
#include "json/first_scalar.h"
#include "pictory/envelope.h"
#include "pictory/errors_table.h"
#include "pictory/http_reply.h"
#include "pictory/refusal.h"

namespace gateway::pictory {
namespace {

using Outcome = SubmitReply::Outcome;

// How long callers are told to wait where Pictory does not say.

// The id where a whole answer has it (pictory/envelope.h), in one that may be cut, too long or an
// error's.
std::string IdIn(std::string_view body) {
  static const auto* const kPaths = new std::array<json::PathTable, 4>{
      json::PathTable({"data.jobId"}), json::PathTable({"data.job_id"}), json::PathTable({"jobId"}),
      json::PathTable({"job_id"})};
  for (const json::PathTable& path : *kPaths) {
    std::string id = json::FirstScalar(body, path);
    // An id at the very end may have been longer.
    if (IsUpstreamId(id) && !body.ends_with(id)) return id;
  }
  return "";
}

SubmitReply Unknown(std::string detail, std::string_view body) {
  SubmitReply reply;
  reply.outcome = Outcome::kUnknown;
  reply.hinted_job_id = IdIn(body);
  reply.detail = std::move(detail);
  if (!reply.hinted_job_id.empty())
    absl::StrAppend(&reply.detail, "; it names the job ", reply.hinted_job_id);
  return reply;
}

SubmitReply Refused(const http::Response& response, const Envelope& envelope) {
  SubmitReply reply;
  reply.outcome = Outcome::kRefused;
  reply.detail = Describe(response);
  if (!envelope.error_code.empty()) absl::StrAppend(&reply.detail, ", code ", envelope.error_code);
  if (response.status == 401) {
    reply.error = errors::UpstreamCredentials(Describe(response));
    return reply;
  }
  reply.error = RefusalOf(response, envelope);
  return reply;
}

SubmitReply NotSent(const http::Response& response) {
  SubmitReply reply;
  reply.outcome = Outcome::kNotSent;
  reply.detail = Describe(response);
  reply.crowded = response.crowded;
  reply.error = response.crowded
                    ? errors::TooManyUnderWay(errors::Call::kSubmit)
                    : errors::UpstreamUnreachable(response.error, limits::kUnreachableRetry,
                                                  errors::Call::kSubmit);
  return reply;
}

SubmitReply RateLimited(const http::Response& response, WallTime now) {
  SubmitReply reply;
  reply.outcome = Outcome::kNotSent;
  reply.rate_limited = true;
  reply.detail = Describe(response);
  reply.retry_after = RetryAfter(response, now);
  reply.error = errors::UpstreamRateLimited(reply.retry_after > Duration::zero()
                                                ? reply.retry_after
                                                : Duration(limits::kUpstreamRateLimitRetry),
                                            errors::Call::kSubmit);
  return reply;
}

}  // namespace

SubmitReply ReadSubmitReply(const http::Response& response, WallTime now) {
  if (response.outcome == http::Response::Outcome::kNotSent) return NotSent(response);
  if (response.outcome != http::Response::Outcome::kComplete)
    return Unknown(Describe(response), response.body);
  if (response.status == 429) return RateLimited(response, now);
  if (LeavesOutcomeOpen(response.status)) return Unknown(Describe(response), response.body);

  const absl::StatusOr<Envelope> read = ReadEnvelope(response.body);
  if (!IsSuccess(response)) {
    // A refusal needs no readable body; what stands in it only explains.
    return Refused(response, read.ok() ? *read : Envelope{});
  }
  if (!read.ok())
    return Unknown(absl::StrCat(Describe(response), ", unreadable body"), response.body);
  if (!read->job_id.empty()) {
    SubmitReply reply;
    reply.outcome = Outcome::kAccepted;
    reply.pictory_job_id = read->job_id;
    reply.detail = Describe(response);
    return reply;
  }
  if (read->success == false || read->tells_error || read->status == "failed") {
    return Refused(response, *read);
  }
  return Unknown(absl::StrCat(Describe(response), " without a job id"), response.body);
}

}  // namespace gateway::pictory
