#include "watch/job_filter.h"

#include <algorithm>

namespace gateway::watch {
namespace {

template <class T>
bool Has(const std::vector<T>& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

bool JobFilter::IsAbout(std::string_view job_id,
                        const std::map<std::string, std::string>& of_job) const {
  if (by_id && !job_ids.contains(job_id)) return false;
  return std::all_of(labels.begin(), labels.end(), [&of_job](const auto& label) {
    const auto found = of_job.find(label.first);
    return found != of_job.end() && found->second == label.second;
  });
}

// States move in one direction only, and a kind changes only from being unknown: that tells what
// the job may have been, without a memory of the jobs that were told.
JobFilter::Fit JobFilter::FitOf(jobs::JobKind kind, jobs::JobState state) const {
  const bool kind_fits = kinds.empty() || Has(kinds, kind);
  const bool state_fits = states.empty() || Has(states, state);
  if (kind_fits && state_fits) return Fit::kFits;
  const bool kind_left = kind_fits || Has(kinds, jobs::v1::JOB_KIND_UNSPECIFIED);
  const bool state_left =
      state_fits || std::any_of(states.begin(), states.end(), [state](jobs::JobState earlier) {
        return jobs::Rank(earlier) < jobs::Rank(state);
      });
  return kind_left && state_left ? Fit::kLeft : Fit::kNever;
}

}  // namespace gateway::watch
