#include "pictory/free_call.h"

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/refusal.h"

namespace gateway::pictory {

absl::Status ReadFreeStatus(const http::Response& response, const char* shown_by, WallTime now) {
  Duration retry = RetryAfter(response, now);
  if (retry == Duration::zero()) retry = limits::kUpstreamRetryLater;
  const bool sent = response.outcome != http::Response::Outcome::kNotSent;
  const auto unreachable = [&] {
    if (sent && shown_by != nullptr) return errors::UpstreamUnknown(Describe(response), shown_by);
    return errors::UpstreamUnreachable(Describe(response), retry, errors::Call::kFree);
  };
  if (response.longer_than_bytes > 0 && shown_by != nullptr) return unreachable();
  if (response.longer_than_bytes > 0) {
    return errors::UpstreamRefused(
        absl::StatusCode::kResourceExhausted, "UPSTREAM_TOO_LARGE",
        absl::StrCat("Pictory's answer is longer than the ", response.longer_than_bytes,
                     " bytes that are read of it"),
        "", response.status, {});
  }
  if (response.outcome != http::Response::Outcome::kComplete) return unreachable();
  if (response.status == 401) return errors::UpstreamCredentials(Describe(response));
  if (response.status == 429) return errors::UpstreamRateLimited(retry, errors::Call::kFree);
  const bool late = response.status == 408 || response.status == 425;
  if (late || (!IsSuccess(response) && !IsClientError(response))) return unreachable();
  const absl::StatusOr<Envelope> read = ReadEnvelope(response.body);
  // Lists and quotas come without an envelope, and some answers are empty.
  const Envelope envelope = read.ok() ? *read : Envelope{};
  const bool told = envelope.success == false || envelope.tells_error;
  if (IsSuccess(response) && !told) return absl::OkStatus();
  return RefusalOf(response, envelope);
}

}  // namespace gateway::pictory
