// JobFilter says which jobs of a tenant a stream of changes is about. It is a plain value, and its
// functions are pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"

namespace gateway::watch {

struct JobFilter {
  std::string tenant;
  std::vector<jobs::JobState> states;  // empty: all
  std::vector<jobs::JobKind> kinds;    // empty: all
  std::map<std::string, std::string> labels;
  bool by_id = false;  // only the jobs of these ids
  std::set<std::string, std::less<>> job_ids;

  // Whether the job has the id and the labels asked for. Both stay as they are for ever.
  bool IsAbout(std::string_view job_id, const std::map<std::string, std::string>& of_job) const;

  // What is to be told of a job that it is about.
  enum class Fit : std::uint8_t {
    kFits,
    kLeft,  // it does not fit, and may have before
    kNever  // it does not fit, and never has
  };
  Fit FitOf(jobs::JobKind kind, jobs::JobState state) const;
};
// Shared by all who need it, because one by ids may be large.
using JobFilterPtr = std::shared_ptr<const JobFilter>;

}  // namespace gateway::watch
