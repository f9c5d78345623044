// A Problem is what went wrong, for people and for programs: text, or with --json one object on
// stderr. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pictory_jobs/status.h"

namespace pictory_jobs::cli {

struct Problem {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  // The gateway's reason, such as `JOB_NOT_FOUND`, or one of those below; empty where nobody gave
  // one.
  std::string reason;
  std::string message;  // one line
  std::vector<FieldViolation> fields;
  std::string hint;  // what to do now, a few lines; or empty
  std::string job_id;
  std::string request_id;
  int line = 0;  // of the file of submits; 0: of none
  std::optional<std::chrono::nanoseconds> retry_after;
};

// Reasons of this program's own. They are part of its interface.
inline constexpr char kUsageReason[] = "USAGE";  // a wrong argument or file; nothing was done
inline constexpr char kNotRunningReason[] = "GATEWAY_UNREACHABLE";
inline constexpr char kConnectionReason[] = "CONNECTION_BROKEN";
inline constexpr char kNoAnswerReason[] = "NO_ANSWER_IN_TIME";
inline constexpr char kNoGatewayReason[] = "NO_SUCH_CALL";
inline constexpr char kUnwrittenReason[] = "STDOUT_UNWRITABLE";
inline constexpr char kDetachedReason[] = "DETACHED";       // by Ctrl-C; the job goes on
inline constexpr char kStoppedReason[] = "STOPPED";         // by Ctrl-C
inline constexpr char kWaitedReason[] = "STOPPED_WAITING";  // --timeout; the job goes on
inline constexpr char kChangedReason[] = "LINES_CHANGED";   // of a file that was submitted before
inline constexpr char kNoResultReason[] = "NO_RESULT";      // of a job in this state
inline constexpr char kTransferReason[] = "TRANSFER_FAILED";

Problem UsageProblem(const std::string& message);

// The problem of a call that failed. `server` names the gateway. The calls of the API that a
// message names become the commands that make them.
Problem ProblemOf(const absl::Status& status, const std::string& server);

// `pictory: …`, a line for each wrong field, and the hint.
std::string ProblemText(const Problem& problem);
// `{"error":{"code":…,"reason":…,"message":…,…}}` and a newline; what is not known is left out.
std::string ProblemLine(const Problem& problem);

}  // namespace pictory_jobs::cli
