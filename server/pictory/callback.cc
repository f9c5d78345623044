#include "pictory/callback.h"

#include "base/ids.h"
#include "json/first_scalar.h"

namespace gateway::pictory {

std::string JobIdOfCallback(std::string_view body) {
  static const json::PathTable* const kIds =
      new json::PathTable({"job_id", "jobId", "data.job_id", "data.jobId"});
  std::string id = json::FirstScalar(body, *kIds);
  return IsUpstreamId(id) ? id : "";
}

}  // namespace gateway::pictory
