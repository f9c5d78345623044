// SimSharedStore is one gateway's way to a database that it shares with others.
//
// Writes are handed in, and committed in groups some time later; a commit's answer may be lost, and
// then the gateway is told what came of it once it has looked, as server/postgres does. A killed
// process loses what is not committed. Reads say how it is when they are asked, and are answered
// later. Single-threaded.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "simulation/sim_clock.h"
#include "simulation/sim_database.h"

namespace gateway::simulation {

// Probabilities, and times.
struct WayTrouble {
  double answer_lost = 0;  // of a group's commit, and of a renewal
  double slow_read = 0;
  Duration feed_delay = std::chrono::milliseconds(250);  // at most
};

class SimSharedStore final : public jobs::Store, public jobs::Sharing {
 public:
  SimSharedStore(SimDatabase& database, int gateway, ProcessClock& clock, std::mt19937_64& random,
                 const WayTrouble& trouble);

  // The process is gone.
  void Crash();
  // Called once, when the next write is handed in.
  void OnNextWrite(std::function<void()> then) { next_write_ = std::move(then); }
  // Up to when the gateway has heard of all changes.
  MonoTime heard_until() const;

  jobs::Sharing& sharing() override { return *this; }
  bool shared() const override { return true; }
  void LimitWith(jobs::SubmitLimitsOf limits_of) override { limits_of_ = std::move(limits_of); }
  void FindSpent(std::optional<std::string> tenant,
                 Callback<std::vector<jobs::SpentTotal>> done) override;
  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override;
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override;
  void Adopt(jobs::JobRecord record, Done done) override;
  void TakeOver(jobs::JobRecord record, std::int64_t adopted_version,
                Callback<std::string> done) override;
  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override;
  void FindToken(std::string token, Callback<std::optional<jobs::JobRecord>> done) override;
  void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                            jobs::RetryEvidence evidence, WallTime since,
                            Callback<std::optional<jobs::JobRecord>> done) override;
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override;
  void FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) override;
  void Nudge(jobs::JobKey job, Done done) override;
  void FindEqual(jobs::EqualQuery query, Callback<std::vector<jobs::JobRecord>> done) override;
  void Leave() override { leaves_ = true; }
  absl::StatusOr<std::string> ShareSecret(const std::string&, std::string made) override {
    return made;  // nobody has any
  }
  void SetStopped(bool stopped, Done done) override;
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override;
  void Find(std::string tenant, std::string name,
            Callback<std::optional<jobs::JobRecord>> done) override;
  void FindMany(std::vector<jobs::JobKey> keys,
                Callback<std::vector<jobs::JobRecord>> done) override;
  void FindOwner(std::string account, std::string pictory_job_id,
                 Callback<std::optional<std::string>> done) override;
  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<jobs::JobRecord>> done) override;
  void ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                std::int64_t offset, std::int64_t max_bytes,
                Callback<jobs::PartChunk> done) override;
  void Delete(jobs::JobRecord record, Done done) override;
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override;
  void NoteAsked(std::string account, jobs::Asked asked, Done done) override;
  void Renew(Callback<jobs::Holding> done) override;
  void ReadShards(std::vector<std::int32_t> shards, std::function<void(jobs::JobRecord)> take,
                  Done done) override;
  void FindFeedEnd(Callback<std::string> done) override;
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override;
  absl::StatusOr<jobs::Recovered> Recover(WallTime now) override;
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override;
  void ReadNotifying(std::vector<std::int32_t>, TakeName, Done done) override {
    done(absl::OkStatus());
  }
  void ReadArchiving(std::vector<std::int32_t>, TakeName, Done done) override {
    done(absl::OkStatus());
  }
  void EndEpoch(std::vector<jobs::OwedJob> owed, Done done) override;
  // Gives the leases back.
  void Close() override { database_.Leave(gateway_); }

 private:
  // Changes the database when called, and gives back what tells the caller.
  using Write = std::function<std::function<void()>()>;
  using Refuse = std::function<void(const absl::Status&)>;
  struct Pending {
    Write write;
    Refuse refuse;
    MonoTime since;
  };
  struct Following {
    std::string position;
    int limit = 0;
    Callback<jobs::FeedPage> done;
  };

  void Post(Write write, Refuse refuse);
  template <class T, class Ask>
  void PostFor(Ask ask, Callback<T> done);
  void PostOf(std::function<absl::Status()> change, Done done);
  void CommitLater(Duration delay);
  void Commit();
  template <class T, class Ask>
  void Read(Ask ask, Callback<T> done);
  void TellNews(Duration delay);
  bool Chance(double probability);
  Duration Between(Duration least, Duration most);

  SimDatabase& database_;
  const int gateway_;
  ProcessClock& clock_;
  std::mt19937_64& random_;
  const WayTrouble& trouble_;
  jobs::SubmitLimitsOf limits_of_;
  std::deque<Pending> queue_;
  bool committing_ = false;
  std::function<void()> next_write_;
  // Who reads the feed, and is answered when there is something: the same as one who asks again
  // and again, at less cost.
  std::optional<Following> following_;
  bool telling_ = false;
  bool leaves_ = false;
  bool first_read_ = true;
  MonoTime heard_until_ = MonoTime::min();
};

}  // namespace gateway::simulation
