// Umpire looks at what several gateways do with what they share, and says what must not be: a job
// that goes back in the database, a poll by who does not look after the job, a paid request that
// the record does not stand for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "jobs/job.h"
#include "jobs/job_key.h"
#include "jobs/snapshot.h"
#include "simulation/sim_clock.h"

namespace gateway::simulation {

class Umpire {
 public:
  Umpire(const SimClock& clock, std::function<void(const std::string&)> fail)
      : clock_(clock), fail_(std::move(fail)) {}

  // A record was committed, as it is now.
  void OnCommit(const jobs::JobRecord& record);
  // A record has gone, because another has taken it over.
  void OnGone(const jobs::JobKey& job) { known_.erase(job); }
  // The attempt of this record was ended, as one that somebody left behind who is gone.
  void OnEnded(const jobs::JobRecord& record);
  // Whether it has been UNCONFIRMED.
  bool WasUnconfirmed(const jobs::JobRecord& record) const {
    const auto known = known_.find({record.job.tenant, record.job.job_id});
    return known != known_.end() && known->second.unconfirmed;
  }

  // The database has given the shard to a gateway, and has taken it back. `slack`: for so long the
  // gateway need not know of it.
  void OnGained(std::int32_t shard, int gateway);
  void OnLost(std::int32_t shard, int gateway, MonoTime when, Duration slack);

  // A gateway has asked about a job because it looks after it.
  void OnPolled(int gateway, const jobs::Snapshot& job, std::int32_t shard, MonoTime asked);
  // The first byte of a paid request leaves a gateway whose attempts have this epoch; `record` is
  // what the database says of the request then.
  void OnPaid(const std::string& name, const std::optional<jobs::JobRecord>& record,
              std::int64_t epoch);

 private:
  bool WasEnded(const jobs::JobRecord& record) const {
    return ended_.contains({record.job.tenant, record.job.job_id});
  }

  struct Known {
    std::int64_t version = 0;
    std::int32_t revision = 0;
    jobs::JobState state = jobs::v1::JOB_STATE_UNSPECIFIED;
    bool visible = false;
    bool unconfirmed = false;  // at some time
  };
  struct Held {
    int gateway = 0;
    MonoTime from{};
    MonoTime until = MonoTime::max();
    bool over = false;
  };

  const SimClock& clock_;
  const std::function<void(const std::string&)> fail_;
  std::unordered_map<jobs::JobKey, Known> known_;
  std::unordered_set<jobs::JobKey> ended_;
  std::unordered_map<std::int32_t, std::vector<Held>> held_;  // of each shard, in order
};

}  // namespace gateway::simulation
