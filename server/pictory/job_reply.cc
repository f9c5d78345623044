// These functions read a poll's answer: what the transport says, then what Pictory says of the job,
// then the result.
#include "pictory/job_reply.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "http/transport.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/job_result.h"
#include "pictory/kinds.h"
#include "pictory/not_understood.h"
#include "pictory/result_made.h"
#include "pictory/status_word.h"

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

// The reply for an answer that is too large. Only a finished job's answer is: a running one has
// little to say.
JobReply TooLarge(const http::Response& response) {
  JobReply reply = Simple(Kind::kTooLarge, response);
  reply.message = absl::StrCat(
      "Finished at Pictory, but its result is larger than ",
      response.longer_than_bytes / limits::kMiB,
      " MiB; start the gateway with a higher --max-job-reply-mib to get it. Nothing is lost.");
  return reply;
}

JobReply Unreadable(const http::Response& response, const absl::StatusOr<Envelope>& envelope,
                    WallTime now) {
  JobReply reply = Simple(Kind::kUnreadable, response);
  reply.message = NotUnderstood(response, envelope);
  reply.retry_after = RetryAfter(response, now);
  if (!envelope.ok() && !response.body.empty()) {
    absl::StrAppend(&reply.detail,
                    ", unreadable body: ", errors::Clean(std::string(envelope.status().message())));
  }
  return reply;
}

using KeptResponse = std::shared_ptr<const http::Response>;

// What an answer without a usable result holds: its `data`, or the whole if it has none.
std::shared_ptr<const JobResult> RawResult(const Envelope& envelope, const KeptResponse& response) {
  const bool has_data =
      envelope.data_type == json::Type::kObject || envelope.data_type == json::Type::kArray;
  return MakeRawResult(response, has_data ? envelope.data : std::string_view(response->body));
}

void Fail(const Envelope& envelope, const KeptResponse& response, JobReply& reply) {
  reply.result = RawResult(envelope, response);
  reply.error_code = !envelope.error_code.empty()    ? envelope.error_code
                     : !envelope.reason_code.empty() ? envelope.reason_code
                                                     : "UNSPECIFIED_FAILURE";
  reply.error_message =
      envelope.error_message.empty() ? "Pictory gave no reason" : envelope.error_message;
}

Kind Verdict(const Envelope& envelope, StatusWord word, const KindFacts& kind, ResultMade made) {
  if (envelope.success == false) return Kind::kFailed;
  switch (word) {
    case StatusWord::kFailed:
      return Kind::kFailed;
    case StatusWord::kCleaned:
      return Kind::kCleaned;
    case StatusWord::kRunning:
      return Kind::kRunning;
    case StatusWord::kCompleted:
      return made == ResultMade::kUsable ? Kind::kSucceeded : Kind::kIncomplete;
    case StatusWord::kNone:
      return kind.ended(envelope) ? Kind::kSucceeded : Kind::kUnclear;
    case StatusWord::kUnknown:
      break;
  }
  const bool ends = !envelope.tells_error && MayBeAnEnd(envelope.status);
  return ends && kind.ended(envelope) ? Kind::kSucceeded : Kind::kUnclear;
}

// Whether an answer with a 4xx says what is wrong with the job, and not with the request for it.
bool SaysJobFailed(const Envelope& envelope) {
  const bool refuses = envelope.success == false && envelope.tells_error;
  switch (ReadStatusWord(envelope.status)) {
    case StatusWord::kFailed:
      return envelope.status_of_data || refuses;
    case StatusWord::kUnknown:
      return envelope.status_of_data && refuses;
    default:
      return false;
  }
}

// Reads any answer that is no complete 2xx.
JobReply ReadTrouble(const KeptResponse& kept, WallTime now) {
  const http::Response& response = *kept;
  using Outcome = http::Response::Outcome;
  JobReply reply = Unavailable(Describe(response));
  reply.timed_out = response.timed_out;
  if (response.outcome == Outcome::kNotSent) return reply;
  if (response.status == 429) {  // cut short, it says the same
    reply.kind = Kind::kRateLimited;
    reply.retry_after = RetryAfter(response, now);
    return reply;
  }
  if (response.longer_than_bytes != 0 && IsSuccess(response)) return TooLarge(response);
  if (response.outcome != Outcome::kComplete) return reply;
  if (response.status == 401) return Simple(Kind::kCredentials, response);
  reply.retry_after = RetryAfter(response, now);
  const absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body);
  if (envelope.ok() && envelope->SaysNotFound()) return NotFound(response, *envelope);
  if (response.status == 404) return Simple(Kind::kNotFound, response);
  // 408 says that the request came too slowly, and nothing of the job.
  if (!IsClientError(response) || response.status == 408) return reply;
  if (envelope.ok() && SaysJobFailed(*envelope)) {
    reply.kind = Kind::kFailed;
    Fail(*envelope, kept, reply);
    return reply;
  }
  if (response.status != 403) {
    JobReply unreadable = Unreadable(response, envelope, now);
    unreadable.refused = true;
    return unreadable;
  }
  // The bot filter's 403 is a page; one in JSON comes from Pictory's own gatekeeper.
  if (envelope.ok()) reply.kind = Kind::kCredentials;
  return reply;
}

json::ReadOptions View(const http::Response& response, v1::JobKind kind) {
  json::ReadOptions options = BasicView(kind);
  options.limits = JobReplyLimits(response.body.size());
  return options;
}

// A Finding says of what kind the job is, and what its `data` says, read as that kind.
struct Finding {
  v1::JobKind kind = v1::JOB_KIND_UNSPECIFIED;
  v1::Job job;
  json::ReadStats stats;
};

std::shared_ptr<const JobResult> Result(const std::shared_ptr<const http::Response>& response,
                                        Envelope envelope, v1::JobKind asked, Finding finding,
                                        bool allow_loopback) {
  if (finding.kind != asked) {
    const auto again = ReadEnvelope(response->body, MutableResult(finding.job, finding.kind),
                                    View(*response, finding.kind), &finding.stats);
    if (!again.ok()) return nullptr;  // cannot be: the same bytes have been read before
  }
  return MakeResult(response, std::move(envelope), finding.stats, finding.kind,
                    std::move(finding.job), allow_loopback);
}

}  // namespace

JobReply ReadAuthorizeError(const absl::Status& error) {
  JobReply reply = Unavailable(std::string(error.message()));
  reply.retry_after = errors::RetryDelay(error);
  if (errors::Reason(error) == errors::kUpstreamCredentials) reply.kind = Kind::kCredentials;
  if (absl::IsResourceExhausted(error)) reply.kind = Kind::kRateLimited;
  return reply;
}

JobReply ReadJobReply(http::Response response, v1::JobKind kind, std::uint64_t last_digest,
                      WallTime now, bool allow_loopback) {
  return ReadJobReply(std::move(response), FactsOf(kind), last_digest, now, allow_loopback);
}

JobReply ReadJobReply(http::Response given, const KindFacts& asked, std::uint64_t last_digest,
                      WallTime now, bool allow_loopback) {
  const v1::JobKind kind = asked.kind;
  const auto kept = std::make_shared<const http::Response>(std::move(given));
  const http::Response& response = *kept;
  if (response.outcome != http::Response::Outcome::kComplete || !IsSuccess(response)) {
    return ReadTrouble(kept, now);
  }
  const std::uint64_t digest = Digest(response);
  JobReply reply;
  reply.detail = Describe(response);
  if (last_digest != 0 && digest == last_digest) {
    reply.kind = Kind::kUnchanged;
    reply.digest = digest;
    return reply;
  }
  Finding finding;
  absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body, MutableResult(finding.job, kind),
                                                   View(response, kind), &finding.stats);
  if (!envelope.ok()) return Unreadable(response, envelope, now);
  if (envelope->SaysNotFound()) return NotFound(response, *envelope);
  finding.kind = kind != v1::JOB_KIND_UNSPECIFIED ? kind : ShownKind(*envelope);
  const KindFacts& facts = kind != v1::JOB_KIND_UNSPECIFIED ? asked : FactsOf(finding.kind);
  const StatusWord word = ReadStatusWord(envelope->status);
  const ResultMade made = word == StatusWord::kCompleted
                              ? MadeWhenCompleted(*envelope, facts, finding.job)
                              : ResultMade::kNothing;
  reply.kind = Verdict(*envelope, word, facts, made);
  reply.shown_kind = finding.kind;
  reply.progress_percent = envelope->progress_percent;
  reply.credits_used = envelope->credits_used;
  reply.message = envelope->progress_message;
  if (reply.kind == Kind::kUnclear) {
    reply.message = NotUnderstood(response, envelope);
    absl::StrAppend(&reply.detail, ", status \"", errors::Clean(envelope->status), "\"");
  }
  if (reply.kind == Kind::kIncomplete) reply.message = Incomplete(*envelope, facts);
  if (reply.kind == Kind::kFailed) Fail(*envelope, kept, reply);
  // A failure is asked for once more, and an incomplete result again and again: those answers count
  // even if they are the same as before.
  if (reply.kind != Kind::kFailed && reply.kind != Kind::kIncomplete) reply.digest = digest;
  reply.stands_in = reply.kind == Kind::kIncomplete && made == ResultMade::kSomething;
  if (reply.kind == Kind::kSucceeded || reply.stands_in) {
    reply.result = Result(kept, *std::move(envelope), kind, std::move(finding), allow_loopback);
  } else if (reply.kind == Kind::kIncomplete) {
    reply.result = RawResult(*envelope, kept);
  }
  return reply;
}

}  // namespace gateway::pictory
