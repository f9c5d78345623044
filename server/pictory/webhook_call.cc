#include "pictory/webhook_call.h"

#include "base/ids.h"
#include "json/first_scalar.h"

namespace gateway::pictory {

std::string JobIdOfWebhookCall(std::string_view body) {
  static const json::PathTable* const kJobIds =
      new json::PathTable({"job_id", "jobId", "data.job_id", "data.jobId", "job.job_id",
                           "job.jobId", "data.job.job_id", "data.job.jobId"});
  // These paths are less sure, so they count only where none of the others is there.
  static const json::PathTable* const kIds = new json::PathTable({"job.id", "data.job.id"});
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    body.remove_prefix(kByteOrderMark.size());
  for (const json::PathTable* paths : {kJobIds, kIds}) {
    std::string id = json::FirstScalar(body, *paths);
    if (IsUpstreamId(id)) return id;
  }
  return "";
}

}  // namespace gateway::pictory
