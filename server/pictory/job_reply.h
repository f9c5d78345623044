// A JobReply is what one poll of a job said, as a value: everything the domain needs to decide, and
// nothing of HTTP or JSON. A SubmitReply is the same for a submit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/shared_bytes.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::http {
struct Response;
}  // namespace gateway::http

namespace gateway::pictory {

struct KindFacts;

// A finished job's result, ready to be stored.
struct JobResult {
  struct Part {
    ::pictory::jobs::v1::ResultPart part;
    SharedBytes bytes;  // most are slices of the one reply
  };
  // Wire bytes of a v1.Job that holds only the result and omitted_parts, in the BASIC view.
  // Appended to a serialised Job they merge into it.
  std::string basic_wire;
  // RESULT_JSON always; the others where the result has them.
  std::vector<Part> parts;
};

struct JobReply {
  enum class Kind {
    // Pictory spoke about the job.
    kRunning,
    kSucceeded,
    kIncomplete,  // says completed, but what makes the result usable is missing (a render's mp4)
    kFailed,
    kCleaned,
    kNotFound,
    kUnclear,    // a status we do not know, or none and no result either
    kUnchanged,  // byte for byte the reply before
    kTooLarge,   // longer than the setting allows, as only results are; `message` says what to do
    kLarge,      // longer than a small reply, and no more was asked for
    // Pictory answered, and nothing that is known to be about the job: a page, cut JSON, a 400.
    kUnreadable,
    // Pictory said nothing about the job.
    kRateLimited,
    kCredentials,
    kUnavailable,  // unreachable, 5xx, cut
  };
  Kind kind = Kind::kUnavailable;
  std::optional<double> progress_percent;
  // Pictory's words, cleaned. For kTooLarge, kIncomplete, kUnclear and kUnreadable the words are
  // ours and quote Pictory.
  std::string message;
  std::string error_code;     // if kFailed
  std::string error_message;  // if kFailed
  std::optional<double> credits_used;
  // What the result shows the job to be; UNSPECIFIED if it does not.
  ::pictory::jobs::v1::JobKind shown_kind = ::pictory::jobs::v1::JOB_KIND_UNSPECIFIED;
  // If kSucceeded; if kFailed or kIncomplete, what the answer holds.
  std::shared_ptr<const JobResult> result;
  bool stands_in =
      false;  // of kIncomplete: `result` may be what the job made, if nothing better comes
  Duration retry_after{0};  // if Pictory asked for one
  bool refused = false;     // of kUnreadable: a 4xx, which is about the name that was asked for
  bool timed_out =
      false;  // of kUnavailable: sent, and the answer took longer than it was waited for
  std::uint64_t digest = 0;  // of the body; hand it to the next poll
  std::string detail;        // for logs: status code, transport error; no secrets
};

// Whether the answer, if there was one, was about the account and not about the job.
inline bool SaidNothing(JobReply::Kind kind) {
  return kind == JobReply::Kind::kRateLimited || kind == JobReply::Kind::kCredentials ||
         kind == JobReply::Kind::kUnavailable;
}

// Whether Pictory spoke of the job, if only to say that it does not know it.
inline bool Speaks(JobReply::Kind kind) {
  return !SaidNothing(kind) && kind != JobReply::Kind::kUnreadable;
}

// Whether `result` is not what the job made, but what Pictory says in its place.
inline bool HoldsAnErrorText(const JobReply& reply) {
  return reply.result != nullptr &&
         (reply.kind == JobReply::Kind::kFailed ||
          (reply.kind == JobReply::Kind::kIncomplete && !reply.stands_in));
}

// Reads a reply to GET /v1/jobs/{id}: pure, and the whole of Pictory's known and guessed shapes.
// The parts of a result keep the response's body. With `allow_loopback`, URLs of this machine count
// as links, as the sandbox's are.
JobReply ReadJobReply(http::Response response, ::pictory::jobs::v1::JobKind kind,
                      std::uint64_t last_digest, WallTime now, bool allow_loopback = false);
JobReply ReadJobReply(http::Response response, const KindFacts& kind, std::uint64_t last_digest,
                      WallTime now, bool allow_loopback = false);

// A poll that could not be sent, because there were no credentials to send it with: pure.
JobReply ReadAuthorizeError(const absl::Status& error);

}  // namespace gateway::pictory
