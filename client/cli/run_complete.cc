// The ids of jobs, for a shell that completes a word.
#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "job_names.h"
#include "job_table.h"
#include "last_job.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {

void RunComplete(const Session& session) {
  const Completion& completion = session.args.completion;
  const WantedJobs& wanted = *completion.jobs;
  const auto offer = [&](const std::string& word, const std::string& about) {
    const auto& named = wanted.named;
    if (std::find(named.begin(), named.end(), word) != named.end()) return;
    session.out.Answer(CompletionLine(completion, {word, about}));
  };
  if (const auto last = LastJob(session.args.server)) offer(kLastJob, *last);
  int left = gateway::limits::kCompletionJobsMax;
  for (const auto& states : wanted.states) {
    ListJobsRequest filter;
    for (const JobState state : states) filter.add_states(state);
    if (wanted.kind != v1::JOB_KIND_UNSPECIFIED) filter.add_kinds(wanted.kind);
    if (MayBeginId(completion.typed)) LimitToBeginning(completion.typed, filter);
    filter.set_page_size(left);
    for (const absl::StatusOr<Job>& job : session.client.List(std::move(filter), session.Call())) {
      if (!job.ok()) return;
      offer(job->job_id(), JobLine(*job, absl::Now()));
      if (--left == 0) return;
    }
  }
}

}  // namespace pictory_jobs::cli
