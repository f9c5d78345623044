// A store in memory that is too busy for some writes, for tests of what is done about that.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "store/memory_job_store.h"

namespace gateway::test {

// It refuses the next `busy_for` updates, as a store whose queue is full.
class BusyStore final : public store::MemoryJobStore {
 public:
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override {
    if (const auto first = std::exchange(before_update, nullptr)) first();
    if (busy_for == 0) {
      return MemoryJobStore::Update(std::move(record), std::move(parts), std::move(done));
    }
    --busy_for;
    done(why_busy);
  }
  void KeepHints(jobs::JobKey job, std::vector<std::string> ids, Done done) override {
    ++hint_writes;
    if (!keeps_no_hints)
      return MemoryJobStore::KeepHints(std::move(job), std::move(ids), std::move(done));
    done(why_busy);
  }

  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override {
    if (unreadable_for == 0) {
      return MemoryJobStore::FindRequest(std::move(tenant), std::move(request_id), std::move(done));
    }
    --unreadable_for;
    done(errors::StoreFailed("disk I/O error"));
  }
  void FindWithoutRequestId(std::string tenant, std::string fingerprint, jobs::RetryEvidence retry,
                            WallTime from, Callback<std::optional<jobs::JobRecord>> done) override {
    if (!finds_nothing) {
      return MemoryJobStore::FindWithoutRequestId(std::move(tenant), std::move(fingerprint),
                                                  std::move(retry), from, std::move(done));
    }
    done(why_busy);
  }

  std::function<void()> before_update;  // what somebody else does before the next update
  int busy_for = 0;
  int unreadable_for = 0;  // looks for a request_id
  bool finds_nothing = false;
  bool keeps_no_hints = false;
  int hint_writes = 0;
  absl::Status why_busy = errors::TooMany("writes", 1, std::chrono::seconds(1));
};

}  // namespace gateway::test
