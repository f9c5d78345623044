#include "jobs/answered.h"

#include <algorithm>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::jobs {

using Kind = pictory::JobReply::Kind;

bool KnowsJob(Kind kind) {
  switch (kind) {
    case Kind::kRunning:
    case Kind::kSucceeded:
    case Kind::kIncomplete:
    case Kind::kFailed:
    case Kind::kCleaned:
    case Kind::kUnclear:
    case Kind::kUnchanged:
    case Kind::kTooLarge:
    case Kind::kLarge:
      return true;
    case Kind::kNotFound:
    case Kind::kUnreadable:
    case Kind::kRateLimited:
    case Kind::kCredentials:
    case Kind::kUnavailable:
      return false;
  }
  return false;
}

absl::Status WhyUnanswered(const pictory::JobReply& reply) {
  if (reply.kind == Kind::kCredentials) return errors::UpstreamCredentials(reply.detail);
  const Duration later = std::max<Duration>(reply.retry_after, limits::kResolveRetry);
  if (reply.kind == Kind::kRateLimited)
    return errors::UpstreamRateLimited(later, errors::Call::kFree);
  return errors::UpstreamUnreachable(reply.detail, later, errors::Call::kFree);
}

}  // namespace gateway::jobs
