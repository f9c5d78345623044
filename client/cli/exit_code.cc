#include "exit_code.h"

#include <algorithm>
#include <array>

namespace pictory_jobs::cli {

ExitCode ExitForState(JobState state) {
  switch (state) {
    case v1::JOB_STATE_FAILED:
    case v1::JOB_STATE_CLEANED:
    case v1::JOB_STATE_CANCELLED:
      return kJobFailed;
    case v1::JOB_STATE_EXPIRED:
      return kStoppedWaiting;
    case v1::JOB_STATE_UNCONFIRMED:
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
      return kOutcomeUnknown;
    default:
      return kSucceeded;
  }
}

ExitCode ExitForStatus(const absl::Status& status) {
  if (status.ok()) return kSucceeded;
  if (absl::IsNotFound(status)) return kNotFound;
  if (absl::IsCancelled(status)) return kDetached;
  return kRefused;
}

ExitCode Worse(ExitCode a, ExitCode b) {
  // What must never be overlooked comes first: what the others say is in an answer that got
  // through.
  constexpr std::array kOrder = {kUnwritten, kDetached, kOutcomeUnknown, kUsage,    kJobFailed,
                                 kNotFound,  kRefused,  kStoppedWaiting, kSucceeded};
  return *std::min(std::find(kOrder.begin(), kOrder.end(), a),
                   std::find(kOrder.begin(), kOrder.end(), b));
}

}  // namespace pictory_jobs::cli
