// Sharing is what a store does because several processes share it: they count submits together,
// look for each other's, and tell each other. What they change is in the feed besides, and a
// process looks only after the shards that it holds (jobs/store.h). A store of one process has
// NotShared.
//
// What jobs/store.h says of calls and callbacks holds here too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/job.h"
#include "jobs/job_key.h"
#include "jobs/shared_spending.h"
#include "jobs/store_callback.h"

namespace gateway::jobs {

// What all processes of a store have spent in the last 24 hours, and what is reserved for submits
// that wait: of a tenant, or of all tenants, which have an empty name.
struct SpentTotal {
  std::string tenant;
  std::int64_t submits = 0;
  double credits = 0;
  double reserved = 0;      // of them, what Pictory has not told of
  std::int64_t active = 0;  // jobs that have not ended, if one tenant is asked for

  bool operator==(const SpentTotal&) const = default;
};

// Which submits without a request_id FindEqual looks for.
struct EqualQuery {
  std::string tenant;
  std::string fingerprint;
  std::int64_t but_of = 0;  // not those of the process with this epoch, which knows its own
  WallTime since{};         // created or sent at or after this, or still under way or waiting
  // Beside them those, of any process and whenever they were created, that wait for a job of this
  // shard or have just done so.
  std::optional<std::int32_t> waits_in = std::nullopt;
};

class Sharing {
 public:
  virtual ~Sharing() = default;

  // Whether other processes may use the store at the same time.
  virtual bool shared() const = 0;

  // Sets the limits of submits, before the first Begin. The store counts the submits of all
  // processes, and lets none begin, nor one that waited be sent by Update, that passes a limit:
  // RESOURCE_EXHAUSTED, and nothing is stored. What is certainly not paid, and what Pictory says
  // that a job used, it counts with the change that says so. In a store of one process that is
  // Spending's affair.
  virtual void LimitWith(SubmitLimitsOf limits_of) = 0;

  // Finds what the store has counted: of this tenant, or of each that has spent anything, and of
  // all of them.
  virtual void FindSpent(std::optional<std::string> tenant,
                         StoreCallback<std::vector<SpentTotal>> done) = 0;

  // Finds records with this fingerprint and minted_request_id that an equal submit may be a
  // repetition of (jobs/equal_submits.h), visible or not: FirstToRepeat of all of them, and maybe
  // others; one may come twice. Whatever was written before the call is seen. A process that is
  // alone knows of all of them itself.
  virtual void FindEqual(EqualQuery query, StoreCallback<std::vector<JobRecord>> done) = 0;

  // Finds the hints that are kept about a job (Submissions::KeepHints), in the order in which they
  // came. The process of a store that is not shared has heard of all of them itself.
  virtual void FindHints(JobKey job, StoreCallback<std::vector<std::string>> done) = 0;

  // Says in the feed that somebody has news of the job (FeedEntry::hint), for the process that
  // looks after it.
  virtual void Nudge(JobKey job, StoreDone done) = 0;

  // Says that this process is about to end, while it goes on with what it has under way. From the
  // next Leases::Renew on it holds no shards, unless there is no other process to take them.
  virtual void Leave() = 0;

  // Gives back the value that all processes of the store have under this name: `made`, unless one
  // was kept before. Called before serving, on the caller's thread.
  virtual absl::StatusOr<std::string> ShareSecret(const std::string& name, std::string made) = 0;

  // Says whether this process is told to stop submits, which stops those of all (FeedPage). What
  // was said last holds when the process ends, until it says otherwise, or has been away for
  // limits::kStoreWriterKept.
  virtual void SetStopped(bool stopped, StoreDone done) = 0;
};

// NotShared is the Sharing of a process that is alone with its store: nobody else has counted,
// submitted or heard of anything, and there is nobody to tell.
class NotShared final : public Sharing {
 public:
  bool shared() const override { return false; }
  void LimitWith(SubmitLimitsOf) override {}
  void FindSpent(std::optional<std::string>, StoreCallback<std::vector<SpentTotal>> done) override {
    done(std::vector<SpentTotal>{});
  }
  void FindEqual(EqualQuery, StoreCallback<std::vector<JobRecord>> done) override {
    done(std::vector<JobRecord>{});
  }
  void FindHints(JobKey, StoreCallback<std::vector<std::string>> done) override {
    done(std::vector<std::string>{});
  }
  void Nudge(JobKey, StoreDone done) override { done(absl::OkStatus()); }
  void Leave() override {}
  absl::StatusOr<std::string> ShareSecret(const std::string&, std::string made) override {
    return made;
  }
  void SetStopped(bool, StoreDone done) override { done(absl::OkStatus()); }
};

}  // namespace gateway::jobs
