#include "mcp/cost.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "pictory/credits.h"
#include "pictory/translate.h"

namespace gateway::mcp {
namespace {

namespace v1 = ::pictory::jobs::v1;
using Cost = absl::StatusOr<std::optional<double>>;

// What is known of the preview that is rendered.
Cost CostOfPreview(const std::string& job_id, const pictory_jobs::Client& client) {
  const absl::StatusOr<v1::Job> job = client.Get(job_id, v1::JOB_VIEW_FULL);
  if (!job.ok()) return job.status();
  if (job->state() != v1::JOB_STATE_SUCCEEDED || !job->has_preview()) return std::nullopt;
  for (const int part : job->omitted_parts()) {
    if (part == v1::RESULT_PART_RENDER_PARAMS_JSON) return std::nullopt;
  }
  const double said =
      pictory::EstimateCredits(v1::JOB_KIND_RENDER, job->preview().render_params_json());
  // Who has made a preview that was adopted, and of what, is not known here.
  const bool adopted = job->request_id().empty();
  const double used =
      job->has_credits_used() || !adopted ? job->credits_used() : pictory::kUnknownCredits;
  return std::max(used, said);
}

}  // namespace

Cost CostOf(const google::protobuf::Message& request, const pictory_jobs::Client& client) {
  // Which version of Pictory's API the gateway uses is not known here. What neither takes is wrong.
  std::vector<errors::Violation> wrong;
  absl::StatusOr<pictory::Submission> made = absl::UnknownError("");
  for (const v1::PathVersion version : {v1::PATH_VERSION_V2, v1::PATH_VERSION_V1}) {
    pictory::TranslateOptions options{.allow_loopback_urls = true};
    for (int kind = v1::JobKind_MIN; kind <= v1::JobKind_MAX; ++kind) {
      options.versions[static_cast<v1::JobKind>(kind)] = version;
    }
    std::vector<errors::Violation> found = pictory::Validate(request, options);
    if (found.empty()) {
      // What is put in place of the transcript of a job costs nothing.
      made = pictory::Translate(request, "job", "", options, "[]");
      break;
    }
    if (wrong.empty()) wrong = std::move(found);
    if (version == v1::PATH_VERSION_V1) return errors::Invalid(std::move(wrong));
  }
  if (!made.ok()) return made.status();
  if (pictory::IsMadeOfUnknown(request)) return std::nullopt;
  const double shown = pictory::EstimateCredits(made->kind, *made->body);
  const pictory::Reference reference = pictory::ReferencedJob(request);
  if (made->kind != v1::JOB_KIND_RENDER || reference.job_id.empty()) return shown;
  const Cost preview = CostOfPreview(reference.job_id, client);
  if (!preview.ok() || !preview->has_value()) return preview;
  return std::max(shown, **preview);
}

}  // namespace gateway::mcp
