#include "batch_before.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "again.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::size_t kShown = 3;  // jobs that a message names

bool HasEndedInVain(const Job& job) {
  return job.state() == v1::JOB_STATE_FAILED || job.state() == v1::JOB_STATE_CANCELLED ||
         job.state() == v1::JOB_STATE_EXPIRED;
}

std::string Named(const std::map<std::string, const Job*>& gone) {
  std::string names;
  std::size_t count = 0;
  for (const auto& [request_id, job] : gone) {
    if (count++ == kShown) return names + " …";
    absl::StrAppend(&names, names.empty() ? "" : " ", OneLine(job->job_id()));
  }
  return names;
}

}  // namespace

std::string Ranges(const std::vector<int>& lines) {
  std::vector<std::string> ranges;
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t last = i;
    while (last + 1 < lines.size() && lines[last + 1] == lines[last] + 1) ++last;
    ranges.push_back(last == i ? absl::StrCat(lines[i]) : absl::StrCat(lines[i], "-", lines[last]));
    i = last + 1;
  }
  return absl::StrJoin(ranges, ", ");
}

std::optional<Problem> WhatChanged(const std::string& source, const std::vector<BatchLine>& lines,
                                   const std::vector<Job>& before) {
  std::map<std::string, const Job*> gone;
  for (const Job& job : before) gone[job.request_id()] = &job;
  // A line that was submitted again has a job more, of which it shows nothing.
  for (const Job& job : before) gone.erase(AgainId(job));
  std::vector<int> fresh;
  for (const BatchLine& line : lines) {
    if (gone.erase(line.request_id) == 0) fresh.push_back(line.number);
  }
  std::erase_if(gone, [](const auto& one) { return HasEndedInVain(*one.second); });
  if (gone.empty() || fresh.empty()) return std::nullopt;
  const bool one_gone = gone.size() == 1, one_fresh = fresh.size() == 1;
  Problem problem = UsageProblem(
      absl::StrCat(source, ": ", gone.size(), one_gone ? " line that was" : " lines that were",
                   " submitted before ", one_gone ? "is" : "are", " not in it as ",
                   one_gone ? "it was" : "they were", ", and line", one_fresh ? " " : "s ",
                   Ranges(fresh), one_fresh ? " is" : " are", " new; nothing was submitted"));
  problem.reason = kChangedReason;
  problem.hint = absl::StrCat(
      "  If the new ones are old ones that were changed, also in their labels or requestId, they "
      "would be paid\n  for again. --changed submits them. Or put the old ones back, and the new "
      "ones beside them; or take their\n  jobs out of the comparison: pictory delete ",
      Named(gone), "\n");
  return problem;
}

}  // namespace pictory_jobs::cli
