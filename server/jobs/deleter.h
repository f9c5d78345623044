// Deleter deletes a job that has ended: first its outputs at Pictory, then its archived files, then
// everything here except the request_id, which stays so that a late retry does not pay for another
// job. A job that is WAITING it cancels instead: the job stays, as CANCELLED.
//
// Thread-safe; what is passed to the constructor must outlive it and the calls in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/ledger.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"

namespace gateway::jobs {

class Deleter {
 public:
  // Removes the archived files that stand under a job's name, and sees that none come after them.
  using RemoveFiles =
      std::function<void(const JobKey& job, std::function<void(absl::Status)> removed)>;

  // `remove_files` may be null: there is no archive now. Files of a time when there was one are
  // noted in the record, and go once there is one again.
  Deleter(Upstreams& upstreams, Ledger& ledger, Jobs& jobs, const Clock& clock,
          RemoveFiles remove_files = nullptr)
      : upstreams_(upstreams),
        ledger_(ledger),
        jobs_(jobs),
        clock_(clock),
        remove_files_(std::move(remove_files)) {}

  // Gets the job as it was, in the state CLEANED, once it is gone, or the job that was cancelled;
  // FAILED_PRECONDITION if it has not ended. Where Pictory may hold outputs of the job, nothing is
  // deleted here unless Pictory has said that they are gone, or that it never allows their
  // deletion.
  using Done = std::function<void(absl::StatusOr<v1::Job>)>;
  void Delete(const std::string& tenant, const std::string& name, Done done);
  // Gets the job that was cancelled, now or before; FAILED_PRECONDITION if it does not wait. It
  // deletes nothing, whatever the job becomes meanwhile.
  void Cancel(const std::string& tenant, const std::string& name, Done done);

 private:
  // What is done to a job that does not wait.
  enum class Otherwise : std::uint8_t { kDelete, kRefuse };

  // `again`: the job went under this name before it could be ended.
  void Find(const std::string& tenant, const std::string& name, Otherwise otherwise, bool again,
            Done done);
  void End(JobRecord record, Otherwise otherwise, Done done);
  void EndWait(const JobRecord& waiting, Otherwise otherwise, Done done);
  void Clean(JobRecord record, Done done);
  void DeleteFiles(JobRecord record, Done done);
  void RemoveFrom(std::vector<JobKey> places, JobRecord record, Done done);
  void Delete(JobRecord record, Done done);

  Upstreams& upstreams_;
  Ledger& ledger_;
  Jobs& jobs_;
  const Clock& clock_;
  const RemoveFiles remove_files_;
};

}  // namespace gateway::jobs
