// Adopter makes jobs of Pictory's that were not submitted here into jobs here: a caller who names
// one by Pictory's id gets it as a job like any other.
//
// If neither memory nor the store knows a name, and it can be an id of Pictory's, Pictory is asked:
// once for all who ask at the same time, within a part of the request budget, and not again for a
// minute if Pictory does not know it. A job that Pictory knows is stored, with a job_id of its own
// and no request_id, and is polled from then on. Its kind is unspecified until its result shows it.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it and the calls in
// flight.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "jobs/hub.h"
#include "jobs/job_key.h"
#include "jobs/ledger.h"
#include "jobs/owner.h"
#include "jobs/shards.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"

namespace gateway::jobs {

class Adopter {
 public:
  // `sandbox` says that the jobs are those of the sandbox.
  Adopter(bool sandbox, const Shards& shards, Upstreams& upstreams, Ledger& ledger, Jobs& jobs,
          Hub& hub, const Clock& clock, Random& random);
  Adopter(const Adopter&) = delete;
  Adopter& operator=(const Adopter&) = delete;

  // The job of this name: from memory, at once and inside the call, else from the store, else, if
  // the owner adopts jobs, from Pictory. NOT_FOUND if nobody knows it, or another tenant has it.
  void Load(const Owner& owner, const std::string& name, Hub::LoadDone done);

 private:
  // A name that is asked about, and whose the job becomes. What one account answers is nothing to
  // who asks another.
  struct Asking {
    JobKey key;
    std::string account;
    std::string one_of_several;  // see Owner

    auto operator<=>(const Asking&) const = default;
  };
  using AtPictory = std::pair<std::string, std::string>;  // account and Pictory id

  void Ask(const Asking& asking);
  void Look(const Asking& asking);
  void OnReply(const Asking& asking, const pictory::JobReply& reply);
  void OnAdopted(const Asking& asking, const pictory::JobReply& reply, Ledger::Outcome outcome);
  void Finish(const Asking& asking, const absl::StatusOr<SnapshotPtr>& answer);
  bool IsUnknown(const AtPictory& name, MonoTime now) REQUIRES(mutex_);

  const bool sandbox_;
  const Shards& shards_;
  Upstreams& upstreams_;
  Ledger& ledger_;
  Jobs& jobs_;
  Hub& hub_;
  const Clock& clock_;
  Random& random_;

  Mutex mutex_;
  std::map<Asking, std::vector<Hub::LoadDone>> asking_ GUARDED_BY(mutex_);
  // The names that Pictory does not know, with the time when each may be asked again, the oldest
  // first.
  std::deque<std::pair<MonoTime, AtPictory>> forgets_ GUARDED_BY(mutex_);
  std::set<AtPictory> unknown_ GUARDED_BY(mutex_);
};

}  // namespace gateway::jobs
