// Deletes a job that has ended: its outputs at Pictory, then everything here but the request_id,
// which must not pay for another job by a late retry.
//
// Thread-safe; what is passed to the constructor must outlive it and the calls in flight.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/ledger.h"
#include "jobs/store.h"
#include "jobs/upstream.h"

namespace gateway::jobs {

class Deleter {
 public:
  Deleter(Upstream& upstream, Ledger& ledger, Jobs& jobs, const Clock& clock)
      : upstream_(upstream), ledger_(ledger), jobs_(jobs), clock_(clock) {}

  // The job as it was, CLEANED, once it is gone. FAILED_PRECONDITION if it has not ended. Nothing
  // is deleted here unless Pictory has said that it is gone there, or that it never allows it.
  using Done = std::function<void(absl::StatusOr<v1::Job>)>;
  void Delete(const std::string& tenant, const std::string& name, Done done);

 private:
  void Clean(JobRecord record, Done done);
  void Delete(JobRecord record, Done done);

  Upstream& upstream_;
  Ledger& ledger_;
  Jobs& jobs_;
  const Clock& clock_;
};

}  // namespace gateway::jobs
