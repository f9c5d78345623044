// A JobBook holds all jobs of one sandbox, by id and by age. Single-threaded.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "sandbox/job.h"

namespace gateway::sandbox {

// Mints ids in the form of UUIDs, some with letters beyond f, as Pictory's are. The same seed and
// number always give the same id.
std::string MintId(std::uint64_t seed, std::uint64_t number);
// The id of the project that a preview is saved as. It is made from the job's own id, so that a
// journal can be replayed under any seed.
std::string ProjectIdOf(std::string_view job_id);

class JobBook {
 public:
  // `speed`: how many times faster than Pictory's pace jobs run; above 0.
  JobBook(const Clock& clock, double speed) : clock_(clock), speed_(speed) {}

  Job* Add(std::unique_ptr<Job> job);
  // Whosever it is.
  Job* Find(std::string_view id);
  Job* FindProject(std::string_view project_id);
  // The same, null if it is not this account's.
  Job* Find(std::string_view id, std::string_view account);
  Job* FindProject(std::string_view project_id, std::string_view account);
  // Whether the job is a preview whose project is there: it was saved, and not deleted since.
  bool HasProject(const Job& job) const;
  void RemoveProject(const Job& job);
  // For journals of earlier releases, whose project ids came from a seed that may be lost: the
  // newest saved preview goes by this id too from now on. Null if there is none.
  Job* AdoptProject(std::string_view project_id);
  // All jobs, the oldest first; none is null.
  const std::vector<std::unique_ptr<Job>>& all() const { return jobs_; }

  JobState StateOf(const Job& job) const;
  // When the job ends; MonoTime::max() for a job that never ends.
  MonoTime FinishTime(const Job& job) const;

 private:
  const Clock& clock_;
  const double speed_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::unordered_map<std::string, Job*> by_project_;
};

}  // namespace gateway::sandbox
