// Reads a page of Pictory's job list. Each item is a whole job, result and all; only its name,
// status and kind are wanted.
#include "pictory/job_list.h"

#include <string>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "json/check.h"
#include "pictory/envelope.h"
#include "pictory/job_result.h"
#include "pictory/kinds.h"

namespace gateway::pictory {
namespace {

// The limits for a page, which holds whole results.
json::Limits ListLimits(std::size_t bytes) {
  json::Limits limits = JobReplyLimits(bytes);
  limits.max_depth += 2;  // the list around the jobs
  return limits;
}

absl::Status Unreadable(std::string_view what) {
  return errors::UpstreamUnreachable("unreadable job list: " + std::string(what),
                                     limits::kUpstreamRetryLater, errors::Call::kFree);
}

}  // namespace

absl::StatusOr<JobList> ReadJobList(std::string_view body) {
  json::Outline page;
  const absl::Status checked = json::Check(body, ListLimits(body.size()), &page);
  if (!checked.ok()) return Unreadable(std::string(checked.message()));
  JobList list;
  const json::Member* const items = page.Find("items");
  if (page.type != json::Type::kObject || items == nullptr || items->type != json::Type::kArray) {
    return Unreadable("no items");
  }
  for (const std::string_view item : json::Elements(items->value)) {
    json::ReadOptions options;
    options.limits = JobReplyLimits(item.size());
    const absl::StatusOr<Envelope> envelope = ReadEnvelope(item, nullptr, options);
    if (!envelope.ok() || envelope->job_id.empty()) continue;
    ListedJob job;
    job.pictory_job_id = envelope->job_id;
    job.status = errors::Clean(envelope->status);
    job.shown_kind = ShownKind(*envelope);
    list.jobs.push_back(std::move(job));
  }
  if (const json::Member* const key = page.Find("nextPageKey")) {
    list.next_page_key = json::Text(key->value);
  }
  return list;
}

}  // namespace gateway::pictory
