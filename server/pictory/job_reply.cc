// Reads a poll's answer: transport first, then what Pictory says of the job, then the result.
#include "pictory/job_reply.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "pictory/client.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/job_result.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using Kind = JobReply::Kind;

JobReply Unavailable(std::string detail) {
  JobReply reply;
  reply.kind = Kind::kUnavailable;
  reply.detail = std::move(detail);
  return reply;
}

JobReply Simple(Kind kind, const http::Response& response) {
  JobReply reply;
  reply.kind = kind;
  reply.detail = Describe(response);
  return reply;
}

JobReply NotFound(const http::Response& response, const Envelope& envelope) {
  JobReply reply = Simple(Kind::kNotFound, response);
  if (!envelope.error_code.empty()) absl::StrAppend(&reply.detail, ", code ", envelope.error_code);
  return reply;
}

// Any answer that is no complete 2xx: nothing of it is about the job, except that there is none.
JobReply ReadTrouble(const http::Response& response, WallTime now) {
  JobReply reply;
  if (response.outcome == http::Response::Outcome::kNotSent) {
    return Unavailable(Describe(response));
  }
  if (response.status == 429) {  // cut short, it says the same
    reply = Simple(Kind::kRateLimited, response);
    reply.retry_after = RetryAfter(response, now);
    return reply;
  }
  if (response.outcome != http::Response::Outcome::kComplete)
    return Unavailable(Describe(response));
  if (response.status == 401) return Simple(Kind::kCredentials, response);
  if (response.status == 404) return Simple(Kind::kNotFound, response);
  if (HasJsonObject(response)) {
    const absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body);
    if (envelope.ok() && envelope->SaysNotFound()) return NotFound(response, *envelope);
    // The bot filter's 403 is a page; one in JSON comes from Pictory's own gatekeeper.
    if (envelope.ok() && response.status == 403) return Simple(Kind::kCredentials, response);
  }
  reply = Unavailable(Describe(response));
  reply.retry_after = RetryAfter(response, now);
  return reply;
}

// Without a status word, only what could not be there earlier proves the end.
bool ShowsResult(const Envelope& envelope, v1::JobKind kind) {
  const bool preview = envelope.HasResult(ResultKey::kRenderParams) ||
                       envelope.HasResult(ResultKey::kPreview) ||
                       envelope.HasResult(ResultKey::kPreviewUrl);
  const bool render = envelope.HasResult(ResultKey::kVideoUrl);
  const bool transcript =
      envelope.HasResult(ResultKey::kTranscript) || envelope.HasResult(ResultKey::kTxt) ||
      // Nobody spoke: the list is empty, and its company shows that it was made.
      (envelope.Result(ResultKey::kTranscript).type == json::Type::kArray &&
       (envelope.Result(ResultKey::kTxt).present() || envelope.Result(ResultKey::kSrt).present() ||
        envelope.Result(ResultKey::kVtt).present() || envelope.HasResult(ResultKey::kMediaInfo)));
  switch (kind) {
    case v1::JOB_KIND_PREVIEW:
      return preview;
    case v1::JOB_KIND_RENDER:
      return render;
    case v1::JOB_KIND_TRANSCRIPTION:
    case v1::JOB_KIND_SUMMARY:
      return transcript;
    default:
      return preview || render || transcript || envelope.HasResult(ResultKey::kUrl);
  }
}

Kind Verdict(const Envelope& envelope, v1::JobKind kind) {
  if (envelope.success == false || envelope.status == "failed") return Kind::kFailed;
  if (envelope.status == "completed") return Kind::kSucceeded;
  if (envelope.status == "cleaned") return Kind::kCleaned;
  if (envelope.status == "in-progress" || envelope.status == "pending") return Kind::kRunning;
  if (envelope.status.empty() && ShowsResult(envelope, kind)) return Kind::kSucceeded;
  return Kind::kUnclear;
}

void Fail(const Envelope& envelope, JobReply& reply) {
  reply.error_code = envelope.error_code.empty() ? "UNSPECIFIED_FAILURE" : envelope.error_code;
  reply.error_message =
      envelope.error_message.empty() ? "Pictory gave no reason" : envelope.error_message;
}

// The result, unless a render has no video.
void Succeed(const http::Response& response, const Envelope& envelope, json::ReadStats stats,
             v1::JobKind kind, v1::Job job, JobReply& reply) {
  if (kind == v1::JOB_KIND_UNSPECIFIED && reply.shown_kind != v1::JOB_KIND_UNSPECIFIED) {
    kind = reply.shown_kind;
    const auto again =
        ReadEnvelope(response.body, MutableResult(job, kind), BasicView(kind), &stats);
    if (!again.ok()) return;  // cannot be: the same bytes have been read before
  }
  if (kind == v1::JOB_KIND_RENDER && job.render().video_url().empty()) {
    reply.kind = Kind::kIncomplete;
    reply.error_message = "Pictory says completed but gives no videoURL";
    return;
  }
  reply.result = MakeResult(envelope, stats, kind, std::move(job));
}

}  // namespace

JobReply ReadAuthorizeError(const absl::Status& error) {
  JobReply reply = Unavailable(std::string(error.message()));
  reply.retry_after = errors::RetryDelay(error);
  if (errors::Reason(error) == errors::kUpstreamCredentials) reply.kind = Kind::kCredentials;
  if (absl::IsResourceExhausted(error)) reply.kind = Kind::kRateLimited;
  return reply;
}

JobReply ReadJobReply(const http::Response& response, v1::JobKind kind, std::uint64_t last_digest,
                      WallTime now) {
  if (response.outcome != http::Response::Outcome::kComplete || !IsSuccess(response)) {
    return ReadTrouble(response, now);
  }
  const std::uint64_t digest = Digest(response);
  JobReply reply;
  reply.detail = Describe(response);
  if (last_digest != 0 && digest == last_digest) {
    reply.kind = Kind::kUnchanged;
    reply.digest = digest;
    return reply;
  }
  v1::Job job;
  json::ReadStats stats;
  const absl::StatusOr<Envelope> envelope =
      ReadEnvelope(response.body, MutableResult(job, kind), BasicView(kind), &stats);
  if (!envelope.ok()) {
    return Unavailable(absl::StrCat(
        reply.detail, response.body.empty() ? ", empty body" : ", unreadable body: ",
        response.body.empty() ? "" : errors::Clean(std::string(envelope.status().message()))));
  }
  if (envelope->SaysNotFound()) return NotFound(response, *envelope);
  reply.kind = Verdict(*envelope, kind);
  reply.progress_percent = envelope->progress_percent;
  reply.message = envelope->progress_message;
  reply.credits_used = envelope->credits_used;
  if (reply.kind == Kind::kUnclear) {
    absl::StrAppend(&reply.detail, ", status \"", errors::Clean(envelope->status), "\"");
  }
  if (kind != v1::JOB_KIND_UNSPECIFIED) {
    reply.shown_kind = kind;
  } else {
    reply.shown_kind = ShownKind(*envelope);
  }
  if (reply.kind == Kind::kFailed) Fail(*envelope, reply);
  if (reply.kind == Kind::kSucceeded) {
    Succeed(response, *envelope, std::move(stats), kind, std::move(job), reply);
  }
  // A failure is asked for once more, and an incomplete result again and again: those answers count
  // even if they are the same as before.
  if (reply.kind != Kind::kFailed && reply.kind != Kind::kIncomplete) reply.digest = digest;
  return reply;
}

}  // namespace gateway::pictory
