// A store in memory that is too busy for some writes, for tests of what is done about that.
#pragma once

#include <chrono>
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

  int busy_for = 0;
  bool keeps_no_hints = false;
  int hint_writes = 0;
  absl::Status why_busy = errors::TooMany("writes", 1, std::chrono::seconds(1));
};

}  // namespace gateway::test
