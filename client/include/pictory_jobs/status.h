// What an absl::Status from this library tells a program beyond its code and message.
//
// The gateway's error details (the standard ones of the gRPC error model) are payloads of the
// status, serialised, under their type URLs: `type.googleapis.com/google.rpc.ErrorInfo` and so on.
// These functions read them without google/rpc's classes, which a process can hold only once.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pictory_jobs {

// The gateway's reason, such as `UPSTREAM_RATE_LIMITED` or `JOB_NOT_FOUND`; empty if the gateway
// did not write this status, as when it cannot be reached. Every status that it writes has one, in
// an ErrorInfo of the domain `pictory-gateway`.
std::string Reason(const absl::Status& status);
bool FromGateway(const absl::Status& status);

// What the gateway's ErrorInfo says under a name, such as `job_id` or `request_id`; and the job
// that its ResourceInfo names. Empty where it says nothing.
std::string ErrorMetadata(const absl::Status& status, const std::string& key);
std::string JobNamedBy(const absl::Status& status);

// Whether a failed status tells that the way to the gateway broke, and nothing of the call: gRPC's
// library or a proxy on the way wrote it, as UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED or
// DEADLINE_EXCEEDED. (The last two may also be the caller's own doing, which only the caller
// knows.) Other codes are answers whoever wrote them: a limit on message sizes or a missing
// permission is the same the next time.
bool BrokenConnection(const absl::Status& status);

// When the same call may succeed; unset if the gateway does not say.
std::optional<std::chrono::nanoseconds> RetryDelay(const absl::Status& status);

// Whether a submit that failed with this status may have become a job all the same, as when the
// connection broke under way. Then repeat it with the same request_id only: with another one it may
// be paid for twice.
bool MayHaveBeenTaken(const absl::Status& status);

// One wrong field of a request: a path such as `storyboard.scenes[2].story`, and what to do.
struct FieldViolation {
  std::string field;
  std::string description;
};

std::vector<FieldViolation> FieldViolations(const absl::Status& status);

}  // namespace pictory_jobs
