#include "batch_reach.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "pictory_jobs/status.h"

namespace pictory_jobs::cli {
namespace {

// Only an operator, or another key, changes these.
constexpr std::array<std::string_view, 3> kOfAll = {"SUBMITS_STOPPED", "UPSTREAM_CREDENTIALS",
                                                    "PICTORY_KEY_NEEDED"};
constexpr std::array<std::string_view, 2> kOfThisLine = {"REQUEST_TOO_LARGE", "METADATA_TOO_LARGE"};

template <class Reasons>
bool Has(const Reasons& reasons, const std::string& reason) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

}  // namespace

Reach ReachOf(const absl::Status& refusal) {
  const std::string reason = Reason(refusal);
  if (Has(kOfAll, reason) || BrokenConnection(refusal)) return Reach::kAll;
  if (Has(kOfThisLine, reason)) return Reach::kThisLine;
  switch (refusal.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kCancelled:
      return Reach::kAll;
    // A slow line, a limit of credits that a cheaper line is within, a store that fails.
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kInternal:
      return Reach::kPerhapsAll;
    default:
      return Reach::kThisLine;
  }
}

}  // namespace pictory_jobs::cli
